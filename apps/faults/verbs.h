// The verbs of `kern faults`, one file each.
#pragma once
#include "apps/command.h"
#include "apps/faults/config.h"
#include "apps/study.h"

namespace kern::apps {

void run_init_faults(const FaultsInitConfig& config, Call& call);
void run_inspect_segy(const SegyInspectConfig& config, Call& call);
void run_train_faults(const FaultsTrainConfig& config, Call& call);
void run_predict_faults(const FaultsPredictConfig& config, Call& call);
void run_evaluate_faults(const FaultsEvaluateConfig& config, Call& call);
void run_faults_compare(const FaultsCompareConfig& config, Call& call);
void run_faults_study(const StudyConfig& config, Call& call);
void run_synthesize_seismic(const SynthesizeSeismicConfig& config, Call& call);

}  // namespace kern::apps
