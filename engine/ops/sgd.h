#pragma once
#include "engine/tensor.h"

namespace kern {

struct SgdOptions {
  double momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

// One step in place on a parameter p with gradient g and momentum m (zero at first; may be no tensor where momentum is
// 0). lr and grad_scale (may be null: 1; for clipping) lie in memory of p's device. Formulas in kernels/optim/sgd.h.
void sgd(Tensor& p, const Tensor& g, Tensor& m, const SgdOptions& o, const float* lr, const float* grad_scale = nullptr,
         SourceLocation at = SourceLocation::current());

}  // namespace kern
