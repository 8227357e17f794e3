#pragma once
#include "engine/ops/conv1d.h"

namespace kern {

struct MaxPool2dOptions {
  Pair window = 2, stride = 2;
  Padding padding = 0;
};
struct MaxPool1dOptions {
  int window = 2, stride = 2;
  Sides padding = 0;
};

// x [N,H,W,C] -> y [N,P,Q,C], P = (H + top + bottom - window) / stride + 1, rounded down. Formulas in
// kernels/pool/max_pool.h.
Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// x [N,L,C] -> y [N,Q,C].
Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

}  // namespace kern
