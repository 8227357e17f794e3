#pragma once
#include "engine/tensor.h"

namespace kern {

struct BatchNormOptions {
  bool training = true;  // statistics of this batch, and the running ones follow; else the running ones, untouched
  float momentum =
      0.1f;  // weight of this batch in the running statistics (Keras counts the other way: 0.99 there is 0.01 here)
  float eps = 1e-5f;
};

// x [N, positions..., C] or [N,C]; weight and bias [C] or empty; running_mean and running_variance [C], both written to
// in training, where both may be empty -> y of x's shape. Formulas in kernels/norm/batch_norm.h.
Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor running_mean,
                  Tensor running_variance, const BatchNormOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

}  // namespace kern
