// The Winograd rows of conv2d: 3x3 filters (signals: of 3), stride and dilation 1, one group. Four times (signals:
// twice) fewer multiplications than a direct convolution, at the price of the transforms: they pay from a number of
// channels on. What makes it fast stands in
//   common/tile-inl.h                  the micro-kernel of the matrix products
//   conv2d_winograd-inl.h              transforms; forward and backward_data
//   conv2d_winograd_weight-inl.h       backward_weight
// This file says which cases they serve; where the direct row is the faster one, its entries do the work.
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/conv2d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d_winograd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/conv2d_winograd-inl.h"
#include "kernels/conv2d_winograd_weight-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

bool is_planar(const Conv2dSpec& g) { return g.r == 3; }
int64_t tiles(const Conv2dSpec& g) { return Tiling(g.n, g.p(), g.q(), is_planar(g)).count(); }

WinogradGather forward_gather(const Conv2dSpec& g, const float* x, const float* b, float* y) {
  return {.tiling = Tiling(g.n, g.p(), g.q(), is_planar(g)),
          .in = {x, g.x_pitch(), g.h, g.w, g.c, g.pad_top, g.pad_left},
          .out = y,
          .out_pitch = g.y_pitch(),
          .out_h = g.p(),
          .out_w = g.q(),
          .columns = g.k,
          .bias = b,
          .w_column = int64_t{g.r} * 3 * g.c,
          .w_reduce = 1,
          .w_first = 0,
          .w_row = int64_t{3} * g.c,
          .w_tap = g.c};
}
WinogradGather backward_gather(const Conv2dSpec& g, const float* dy, float* dx) {
  return {.tiling = Tiling(g.n, g.h, g.w, is_planar(g)),
          .in = {dy, g.dy_pitch(), g.p(), g.q(), g.k, g.r - 1 - g.pad_top, 2 - g.pad_left},
          .out = dx,
          .out_pitch = g.dx_pitch(),
          .out_h = g.h,
          .out_w = g.w,
          .columns = g.c,
          .bias = nullptr,
          .w_column = 1,
          .w_reduce = int64_t{g.r} * 3 * g.c,
          .w_first = (int64_t{g.r} * 3 - 1) * g.c,
          .w_row = int64_t{-3} * g.c,
          .w_tap = -g.c};
}
WinogradWeight weight_sums(const Conv2dSpec& g, const float* dy, const float* x) {
  return {.tiling = Tiling(g.n, g.p(), g.q(), is_planar(g)),
          .dy = {dy, g.dy_pitch(), g.p(), g.q(), g.k, 0, 0},
          .x = {x, g.x_pitch(), g.h, g.w, g.c, g.pad_top, g.pad_left}};
}

// Measured: channels and tiles from which a direction is faster than the direct row's.
bool supports(const Conv2dSpec& g) {
  const bool planar = is_planar(g), signal = g.r == 1 && g.h == 1 && g.p() == 1;
  const bool plain = g.stride_h == 1 && g.stride_w == 1 && g.dil_h == 1 && g.dil_w == 1 && g.groups == 1;
  if (!winograd_enabled() || !cpu_has(KERN_SIMD_ISA) || !plain || g.s != 3 || !(planar || signal)) return false;
  const int64_t pairs = int64_t{g.c} * g.k, fewest = at_most(g.c, g.k);
  const bool wide = planar ? fewest >= 8 && pairs >= 128 : fewest >= 16 && pairs >= 1024;
  return wide && at_most(g.q(), g.w) >= 3 && (signal || at_most(g.p(), g.h) >= 3) && tiles(g) >= 16;
}
// Forward and backward_data transform the whole filter first, which few tiles do not repay if it fills the cache.
bool gather_pays(const Conv2dSpec& g) { return tiles(g) >= 32 || int64_t{g.c} * g.k <= 1 << 14; }

size_t workspace(const Conv2dSpec& g) {
  size_t bytes = conv2d_simd_row<KERN_SIMD_ISA>().workspace(g);
  for (size_t other :
       {winograd_workspace(forward_gather(g, nullptr, nullptr, nullptr)),
        winograd_workspace(backward_gather(g, nullptr, nullptr)), winograd_workspace(weight_sums(g, nullptr, nullptr))})
    if (other > bytes) bytes = other;
  return bytes;
}

void forward(const Exec& exec, const Conv2dSpec& g, const float* x, const float* w, const float* b, float* y) {
  if (!gather_pays(g)) return conv2d_simd_row<KERN_SIMD_ISA>().forward(exec, g, x, w, b, y);
  winograd_gather(forward_gather(g, x, b, y), w, static_cast<float*>(exec.scratch));
}
void backward_data_plus(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, const float* b,
                        float* dx) {
  if (!gather_pays(g)) return conv2d_simd_row<KERN_SIMD_ISA>().backward_data_plus(exec, g, dy, w, b, dx);
  WinogradGather gather = backward_gather(g, dy, dx);
  gather.bias = b;
  winograd_gather(gather, w, static_cast<float*>(exec.scratch));
}
void backward_data(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, float* dx) {
  backward_data_plus(exec, g, dy, w, nullptr, dx);
}
void backward_weight(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* x, float* dw) {
  winograd_weight_gradient(weight_sums(g, dy, x), dw, static_cast<float*>(exec.scratch));
}

}  // namespace
}  // namespace HWY_NAMESPACE

template <>
Conv2dRow conv2d_winograd_row<KERN_SIMD_ISA>() {
  return {.name = KERN_SIMD_ISA == Isa::avx512 ? "winograd_avx512"
                  : KERN_SIMD_ISA == Isa::avx2 ? "winograd_avx2"
                                               : "winograd_simd",
          .device = Device::cpu,
          .supports = HWY_NAMESPACE::supports,
          .workspace = HWY_NAMESPACE::workspace,
          .forward = HWY_NAMESPACE::forward,
          .backward_data = HWY_NAMESPACE::backward_data,
          .backward_weight = HWY_NAMESPACE::backward_weight,
          .backward_bias = conv2d_simd_row<KERN_SIMD_ISA>().backward_bias,
          .backward_data_plus = HWY_NAMESPACE::backward_data_plus,
          .exact = false};
}

}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
