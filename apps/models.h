// `kern models`: what comes with Kern.
#pragma once
#include "apps/command.h"

namespace kern::apps {

struct ModelsConfig {};
void describe_models(training::Schema& keys, ModelsConfig& config);
void run_models(const ModelsConfig& config, Call& call);

}  // namespace kern::apps
