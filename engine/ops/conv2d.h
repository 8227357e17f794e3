#pragma once
#include "engine/tensor.h"

namespace kern {

struct Fold;  // engine/prepared_filters.h

struct Pair {  // height and width
  int h = 1, w = 1;
  constexpr Pair(int both) : h(both), w(both) {}
  constexpr Pair(int height, int width) : h(height), w(width) {}
};
struct Padding {
  int top = 0, bottom = 0, left = 0, right = 0;
  constexpr Padding(int all) : top(all), bottom(all), left(all), right(all) {}
  constexpr Padding(Pair p) : top(p.h), bottom(p.h), left(p.w), right(p.w) {}
  constexpr Padding(int t, int b, int l, int r) : top(t), bottom(b), left(l), right(r) {}
};

struct Conv2dOptions {
  Pair stride = 1;
  Padding padding = 0;
  Pair dilation = 1;
  int groups = 1;
  bool bias_cancels =
      false;  // a norm subtracts the mean of y next: the bias's gradient is 0 exactly, and is not summed
  const Fold* fold = nullptr;  // a norm and an activation to be taken in; within PreparedFilters alone
};

// x [N,H,W,C], w [K,R,S,C/G], b [K] or empty -> y [N,P,Q,K], P = (H + top + bottom - dilation (R-1) - 1) / stride + 1.
// Formulas in kernels/conv/conv2d.h. Errors: channels, groups or bias that do not fit; a filter larger than the padded
// input.
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const Conv2dOptions& o = {},
              const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
