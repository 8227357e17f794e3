// A model on sections whose faults are known.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "apps/faults/config.h"
#include "apps/faults/faults_model.h"
#include "data/fault_sections.h"
#include "training/fault_metrics.h"
#include "training/section_inference.h"

namespace kern::apps {

// The probability of a fault at every sample of a section [traces, samples] in the model's scale; traces without a
// signal and mutes have none.
std::vector<float> section_faults(const FaultsModel& model, std::vector<float> section, int64_t traces, int64_t samples,
                                  bool flips);

// A labelled section, as networks see it.
struct LabelledSection {
  std::string name;
  int64_t H = 0, W = 0;         // traces, samples
  std::vector<float> inputs;    // [H,W], scaled
  std::vector<int32_t> labels;  // [H,W] 1 on a fault, 0, or -1 for what takes no part
  bool broad = false;           // labels are thinned before they are compared within two samples
};

struct FaultsEvaluation {
  double loss = 0;                                    // mean binary cross entropy
  training::PrecisionRecall curve;                    // sample by sample
  training::PrecisionRecall::Point point{};           // at the threshold
  training::TolerantAgreement tolerant{2};            // thinned at the threshold, against the labels
  std::vector<training::TolerantAgreement> sections;  // that of each
  std::vector<double> agreement;                      // its Tol-IoU@2
  std::vector<std::vector<float>> probabilities;      // [H,W] of each section
};
// threshold < 0: that of the best F1 of these very sections.
FaultsEvaluation evaluate(const FaultsModel& model, const std::vector<LabelledSection>& sections, double threshold = -1,
                          bool flips = false);

// The first `count` sections of a generator: of its first epoch, as they are made.
std::vector<LabelledSection> synthetic_sections(data::SectionOptions options, int64_t count);

// Those that validate a training, cut from `windows` where it has from=.
std::vector<LabelledSection> validation_sections(const FaultsTrainConfig& config,
                                                 std::shared_ptr<const data::SectionWindows> windows);

}  // namespace kern::apps
