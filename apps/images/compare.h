// Finished trainings on images side by side, and studies of many.
#pragma once
#include "apps/compare.h"
#include "apps/study.h"

namespace kern::apps {

void describe_images_compare(training::Schema& keys, CompareConfig& config);

void run_images_compare(const CompareConfig& config, Call& call);
void run_images_study(const StudyConfig& config, Call& call);

}  // namespace kern::apps
