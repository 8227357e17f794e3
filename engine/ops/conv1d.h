#pragma once
#include "engine/ops/conv2d.h"

namespace kern {

struct Sides {  // before and after, along L
  int left = 0, right = 0;
  constexpr Sides(int both) : left(both), right(both) {}
  constexpr Sides(int l, int r) : left(l), right(r) {}
};

struct Conv1dOptions {
  int stride = 1;
  Sides padding = 0;
  int dilation = 1, groups = 1;
  bool bias_cancels = false;  // as Conv2dOptions says
};

// x [N,L,C], w [K,S,C/G], b [K] or empty -> y [N,Q,K], Q = (L + left + right - dilation (S-1) - 1) / stride + 1.
// A signal is an image of height 1: the kernels are conv2d's, and the filter's layout is already [K,1,S,C/G].
Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const Conv1dOptions& o = {},
              const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
