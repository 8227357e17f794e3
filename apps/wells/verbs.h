// The verbs of `kern wells`, one file each.
#pragma once
#include "apps/command.h"
#include "apps/wells/config.h"

namespace kern::apps {

void run_wells_init(const InitConfig& config, Call& call);
void run_wells_synthesize(const SynthesizeConfig& config, Call& call);
void run_wells_inspect(const TrainConfig& config, Call& call);
void run_wells_train(const TrainConfig& config, Call& call);
void run_wells_evaluate(const EvaluateConfig& config, Call& call);
void run_wells_predict(const PredictConfig& config, Call& call);

}  // namespace kern::apps
