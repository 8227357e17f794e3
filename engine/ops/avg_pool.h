#pragma once
#include "engine/ops/conv1d.h"
#include "engine/ops/conv3d.h"

namespace kern {

struct AvgPool2dOptions {
  Pair window = 2, stride = 2;
  Padding padding = 0;
  bool count_include_pad = true;  // positions outside the border count as zeros; otherwise they take no part
};
struct AvgPool1dOptions {
  int window = 2, stride = 2;
  Sides padding = 0;
  bool count_include_pad = true;
};
struct AvgPool3dOptions {
  Triple window = 2, stride = 2;
  Padding3d padding = 0;
  bool count_include_pad = true;
};

// x [N,H,W,C] -> y [N,P,Q,C], P = (H + top + bottom - window) / stride + 1, rounded down. Formulas in
// kernels/pool/avg_pool.h.
Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// x [N,L,C] -> y [N,Q,C].
Tensor avg_pool1d(const Tensor& x, const AvgPool1dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

// x [N,D,H,W,C] -> y [N,O,P,Q,C], in the planes and then along depth.
Tensor avg_pool3d(const Tensor& x, const AvgPool3dOptions& o = {}, const Tensor& out = {},
                  SourceLocation at = SourceLocation::current());

}  // namespace kern
