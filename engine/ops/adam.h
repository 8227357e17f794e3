#pragma once
#include "engine/tensor.h"

namespace kern {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  bool decoupled = false;  // AdamW: decay acts on the parameter, not through its gradient
};

// One step in place on a parameter p with gradient g and running moments m, v (zero at first). *step counts from 1;
// step, lr and grad_scale (may be null: 1; for clipping) lie in memory of p's device. Formulas in kernels/optim/adam.h.
void adam(Tensor& p, const Tensor& g, Tensor& m, Tensor& v, const AdamOptions& o, const int64_t* step, const float* lr,
          const float* grad_scale = nullptr, SourceLocation at = SourceLocation::current());

}  // namespace kern
