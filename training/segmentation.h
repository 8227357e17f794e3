// Labelling every position: from a network's logits to classes and probabilities, of signals and images alike.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "layers/module.h"

namespace kern::training {

struct Segmentation {
  int64_t classes = 0;
  std::vector<int> labels;           // [positions] the most probable class
  std::vector<float> probabilities;  // [positions, classes]
};
// x [1,L,C] or [1,H,W,C], in evaluation mode and without gradients.
Segmentation segment(const AnyModule& network, const Tensor& x);

// Of one position's probabilities: the most probable class; of two classes the second one from the threshold on.
int choose_class(std::span<const float> probabilities, double threshold);

// Weights of a weighted cross entropy, in class order.
//   none: all 1. complement: 1 - count/total. inverse: total / (classes x count), absent classes 0.
//   inverse_root: the square root of that, which lifts rare classes and lets no single pixel count for thousands.
enum class ClassWeights { none, complement, inverse, inverse_root };
std::vector<float> class_weights(ClassWeights kind, std::span<const int64_t> counts);

}  // namespace kern::training
