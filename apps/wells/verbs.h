// The verbs of `kern wells`, one file each.
#pragma once
#include "apps/command.h"
#include "apps/wells/config.h"

namespace kern::apps {

void run_init(const InitConfig& config, Call& call);
void run_synthesize(const SynthesizeConfig& config, Call& call);
void run_inspect(const TrainConfig& config, Call& call);
void run_train(const TrainConfig& config, Call& call);
void run_evaluate(const EvaluateConfig& config, Call& call);
void run_predict(const PredictConfig& config, Call& call);

}  // namespace kern::apps
