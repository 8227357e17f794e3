#pragma once
#include "engine/tensor.h"

namespace kern {

enum class Spread { log_variance, log_sigma };  // what a network gives for the width of its distribution

struct KlNormalOptions {
  Spread spread = Spread::log_variance;
  bool average = true;  // over the batch; else the sum
};

// The divergence of N(mean, sigma^2) from N(0, 1): mean and spread [N,...,C] -> [1], summed over a sample's values,
// averaged over the batch. Gradients go to both. Formulas in kernels/loss/kl_normal.h.
Tensor kl_normal(const Tensor& mean, const Tensor& spread, const KlNormalOptions& o = {},
                 SourceLocation at = SourceLocation::current());

}  // namespace kern
