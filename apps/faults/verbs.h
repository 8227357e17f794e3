// The verbs of `kern faults`, one file each.
#pragma once
#include "apps/command.h"
#include "apps/faults/config.h"
#include "apps/study.h"

namespace kern::apps {

void run_faults_init(const FaultsInitConfig& config, Call& call);
void run_faults_inspect(const SegyInspectConfig& config, Call& call);
void run_faults_train(const FaultsTrainConfig& config, Call& call);
void run_faults_fit(const FaultsFitConfig& config, Call& call);
void run_faults_predict(const FaultsPredictConfig& config, Call& call);
void run_faults_evaluate(const FaultsEvaluateConfig& config, Call& call);
void run_faults_compare(const FaultsCompareConfig& config, Call& call);
void run_faults_study(const StudyConfig& config, Call& call);
void run_faults_synthesize(const SynthesizeSeismicConfig& config, Call& call);

}  // namespace kern::apps
