#include "apps/wells/wells.h"

#include "apps/wells/compare.h"
#include "apps/wells/verbs.h"

namespace kern::apps {

const Task& wells_task() {
  static const Task task{
      "wells",
      "facies of 1-D well logs: LAS and CSV in, labelled curves out",
      {
          verb<InitConfig>("init", "write a configuration for the data at hand, which trains as it stands",
                           describe_init, run_wells_init)
              .taking_one("data"),
          verb<TrainConfig>("inspect", "say what the data hold and what would break a training", describe_train,
                            run_wells_inspect),
          verb<SynthesizeConfig>("synthesize", "make synthetic gamma-ray wells with facies", describe_synthesize,
                                 run_wells_synthesize),
          verb<TrainConfig>("train", "train a network; writes a run folder with a report", describe_train,
                            run_wells_train)
              .on_ranks(),
          verb<EvaluateConfig>("evaluate", "evaluate a model on labelled wells; writes a report", describe_evaluate,
                               run_wells_evaluate)
              .on_ranks(),
          verb<PredictConfig>("predict", "add the predicted curve and class probabilities to wells", describe_predict,
                              run_wells_predict)
              .on_ranks(),
          verb<CompareConfig>("compare", "hold finished trainings side by side; writes a report", describe_compare,
                              run_compare)
              .taking("runs"),
          verb<StudyConfig>("study", "train every combination of lists of values; one table, one comparison",
                            describe_study, run_wells_study)
              .on_ranks(),
      }};
  return task;
}

}  // namespace kern::apps
