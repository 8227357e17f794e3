// Fault probability of a survey against an interpretation of it, in three dimensions and bounded memory.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/segy_geometry.h"
#include "training/fault_metrics.h"

namespace kern::apps {

struct VolumeEvaluationOptions {
  double threshold = 0.5;
  double tolerance = 2;           // samples that a fault may be off by
  bool thin = true;               // what is found is thinned at the threshold
  bool thin_labels = true;        // and what is labelled
  std::vector<int> fault_values;  // labels that mean a fault; empty: any above 0
  int64_t memory = 1 << 30;       // bytes that a block may take, roughly
};

struct VolumeEvaluation {
  training::PrecisionRecall curve;        // sample by sample, against the labels as they are
  training::TolerantAgreement agreement;  // within the tolerance
};

// `probability` gives all samples of a trace of the file that `geometry` is of; `labels` has the same traces: above 0
// is a fault (or one of fault_values), 0 is none, negative: nobody looked. Ranks share the blocks, and all get the same.
VolumeEvaluation evaluate_volume(const std::function<void(int64_t trace, std::span<float> values)>& probability,
                                 const data::SegyFile& labels, const data::SegyGeometry& geometry,
                                 const VolumeEvaluationOptions& options);

}  // namespace kern::apps
