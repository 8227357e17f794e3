#include "apps/faults/faults.h"

#include "apps/faults/verbs.h"

namespace kern::apps {

const Task& faults_task() {
  static const Task task{
      "faults",
      "seismic faults: SEG-Y in, fault probability out",
      {
          verb<FaultsInitConfig>("init", "write a configuration of sections like a survey's, which trains as it stands",
                                 describe_faults_init, run_faults_init)
              .taking_one("data"),
          verb<SegyInspectConfig>("inspect", "say what SEG-Y files hold and what is odd; draw a section and a map",
                                  describe_inspect, run_faults_inspect)
              .taking_one("data"),
          verb<SynthesizeSeismicConfig>("synthesize", "make synthetic sections or cubes with faults and their labels",
                                        describe_synthesize, run_faults_synthesize),
          verb<FaultsTrainConfig>("train", "train a network on synthetic sections", describe_faults_train,
                                  run_faults_train)
              .on_ranks(),
          verb<FaultsFitConfig>("fit", "go on training a model with a survey of one's own, interpreted in part or not",
                                describe_faults_fit, run_faults_fit)
              .taking_one("survey")
              .on_ranks(),
          verb<FaultsEvaluateConfig>("evaluate", "measure a model on sections whose faults are known",
                                     describe_faults_evaluate, run_faults_evaluate)
              .on_ranks(),
          verb<FaultsPredictConfig>("predict", "find faults in SEG-Y files or in images of sections",
                                    describe_faults_predict, run_faults_predict)
              .taking_one("data")
              .on_ranks(),
          verb<FaultsCompareConfig>("compare", "hold finished trainings side by side, on the same sections",
                                    describe_faults_compare, run_faults_compare)
              .taking("runs"),
          verb<StudyConfig>("study", "train every combination of lists of values; one table, one comparison",
                            describe_study, run_faults_study)
              .on_ranks(),
      }};
  return task;
}

}  // namespace kern::apps
