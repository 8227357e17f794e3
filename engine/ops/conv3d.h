#pragma once
#include "engine/ops/conv2d.h"

namespace kern {

struct Triple {  // depth, height and width
  int d = 1, h = 1, w = 1;
  constexpr Triple(int all) : d(all), h(all), w(all) {}
  constexpr Triple(int depth, int height, int width) : d(depth), h(height), w(width) {}
};
struct Padding3d {
  int front = 0, back = 0, top = 0, bottom = 0, left = 0, right = 0;
  constexpr Padding3d(int all) : front(all), back(all), top(all), bottom(all), left(all), right(all) {}
  constexpr Padding3d(Triple p) : front(p.d), back(p.d), top(p.h), bottom(p.h), left(p.w), right(p.w) {}
  constexpr Padding3d(int f, int b, const Padding& plane)
      : front(f), back(b), top(plane.top), bottom(plane.bottom), left(plane.left), right(plane.right) {}
  constexpr Padding plane() const { return {top, bottom, left, right}; }
};

struct Conv3dOptions {
  Triple stride = 1;
  Padding3d padding = 0;
  Triple dilation = 1;
  int groups = 1;
  bool bias_cancels = false;   // as Conv2dOptions says
  const Fold* fold = nullptr;  // likewise
};

// x [N,D,H,W,C], w [K,T,R,S,C/G], b [K] or empty -> y [N,O,P,Q,K], O = (D + front + back - dilation (T-1) - 1) / stride
// + 1. The kernels are conv2d's (kernels/conv/conv2d.h): planes are images that one filter sums over. Errors: channels,
// groups or bias that do not fit; a filter larger than the padded input.
Tensor conv3d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const Conv3dOptions& o = {},
              const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
