#pragma once
#include "engine/random.h"
#include "engine/tensor.h"
#include "kernels/norm/norm_act.h"

namespace kern {

using kernels::Activation;

// What norm_act applies besides its input; every tensor may be empty.
struct NormActParts {
  Tensor weight, bias;                    // [C], of the norm
  Tensor running_mean, running_variance;  // [C], of a batch norm; written to in training
  Tensor slope;                           // [1] or [C], for Activation::prelu
  Tensor residual;                        // of the input's shape: added at the end
};
struct NormActOptions {
  bool per_sample = false;  // an instance norm; else a batch norm
  bool training = true;     // of a batch norm: the statistics of this batch; else the running ones
  float momentum = 0.1f, eps = 1e-5f;
  Activation act = Activation::identity;
  float dropout = 0;  // probability that a channel of a sample is dropped; for training
};

// y = dropout(act(norm(x))) + residual, x [N, positions..., C]. The same numbers as the ops one after another, in fewer
// passes over memory. Formulas in kernels/norm/norm_act.h. Errors: as instance_norm, batch_norm, prelu and channel_dropout.
Tensor norm_act(const Tensor& x, NormActParts p, const NormActOptions& o, const Tensor& out = {},
                Generator& generator = default_generator(), SourceLocation at = SourceLocation::current());

}  // namespace kern
