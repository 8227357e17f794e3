#include "apps/anomalies/anomalies.h"

#include "apps/anomalies/verbs.h"

namespace kern::apps {

const Task& anomalies_task() {
  static const Task task{
      "anomalies",
      "visual anomalies: good images in, a score, a verdict and where it is unusual out",
      {
          verb<AnomaliesInitConfig>("init", "write a configuration for the data at hand, which trains as it stands",
                                    describe_anomalies_init, run_anomalies_init)
              .taking_one("data"),
          verb<AnomaliesTrainConfig>("inspect", "say what the data hold and what would break a training",
                                     describe_anomalies_inspect, run_anomalies_inspect),
          verb<AnomaliesSynthesizeConfig>("synthesize", "make images of a conveyor with and without spills",
                                          describe_anomalies_synthesize, run_anomalies_synthesize),
          verb<AnomaliesTrainConfig>("train", "train a model and find its threshold; writes a run folder with a report",
                                     describe_anomalies_train, run_anomalies_train)
              .on_ranks(),
          verb<AnomaliesEvaluateConfig>("evaluate", "evaluate a model on good and defective images; writes a report",
                                        describe_anomalies_evaluate, run_anomalies_evaluate)
              .on_ranks(),
          verb<AnomaliesPredictConfig>(
              "predict",
              "score and evaluate images, a line each; exits 0 when all are good, 1 when there "
              "are anomalies, 2 when something could not be done",
              describe_anomalies_predict, run_anomalies_predict)
              .failing_with(2)
              .on_ranks(),
          verb<AnomaliesCompareConfig>("compare",
                                       "hold finished trainings side by side, by every rule; writes a report",
                                       describe_anomalies_compare, run_anomalies_compare)
              .taking("runs"),
      }};
  return task;
}

}  // namespace kern::apps
