#include "apps/anomalies/anomalies.h"

#include "apps/anomalies/verbs.h"

namespace kern::apps {

const Task& anomalies_task() {
  static const Task task{
      "anomalies",
      "visual anomalies: good pictures in, a score, a verdict and where it is unusual out",
      {
          verb<AnomaliesTrainConfig>("inspect", "say what the data hold and what would break a training",
                                     describe_anomalies_inspect, run_anomalies_inspect),
          verb<AnomaliesSynthesizeConfig>("synthesize", "make pictures of a conveyor with and without spills",
                                          describe_anomalies_synthesize, run_anomalies_synthesize),
      }};
  return task;
}

}  // namespace kern::apps
