// The verbs of `kern anomalies`, one file each.
#pragma once
#include "apps/anomalies/config.h"
#include "apps/command.h"

namespace kern::apps {

void run_anomalies_init(const AnomaliesInitConfig& config, Call& call);
void run_anomalies_inspect(const AnomaliesTrainConfig& config, Call& call);
void run_anomalies_synthesize(const AnomaliesSynthesizeConfig& config, Call& call);
void run_anomalies_train(const AnomaliesTrainConfig& config, Call& call);
void run_anomalies_evaluate(const AnomaliesEvaluateConfig& config, Call& call);
void run_anomalies_compare(const AnomaliesCompareConfig& config, Call& call);
void run_anomalies_predict(const AnomaliesPredictConfig& config, Call& call);

}  // namespace kern::apps
