#pragma once
#include "engine/ops/conv1d.h"
#include "engine/ops/conv3d.h"

namespace kern {

struct MaxPool2dOptions {
  Pair window = 2, stride = 2;
  Padding padding = 0;
};
struct MaxPool1dOptions {
  int window = 2, stride = 2;
  Sides padding = 0;
};
struct MaxPool3dOptions {
  Triple window = 2, stride = 2;
  Padding3d padding = 0;
};

// x [N,H,W,C] -> y [N,P,Q,C], P = (H + top + bottom - window) / stride + 1, rounded down. Formulas in
// kernels/pool/max_pool.h.
Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// x [N,L,C] -> y [N,Q,C].
Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// x [N,D,H,W,C] -> y [N,O,P,Q,C], in the planes and then along depth. Of equal maxima the first in reading order (depth,
// height, width) gets the gradient.
Tensor max_pool3d(const Tensor& x, const MaxPool3dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

}  // namespace kern
