// The SIMD rows of conv2d: channels-last direct convolution without any copy of the input. What makes it fast stands in
//   common/tile-inl.h          the micro-kernel: a tile of pixels x output channels (or of filter values) in registers
//   conv2d_gather-inl.h        forward and backward_data: rows cut into tiles, borders, phases of a stride
//   conv2d_planar-inl.h        a gather of a few output channels: pixels in vectors
//   conv2d_weight-inl.h        backward_weight and backward_bias: sums over pixels, in a fixed order
//   conv2d_depthwise-inl.h     one channel a group
// This file says which of them serves which case, and what scratch it needs.
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/conv/conv2d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/conv2d_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/conv/conv2d_depthwise-inl.h"
#include "kernels/conv/conv2d_gather-inl.h"
#include "kernels/conv/conv2d_planar-inl.h"
#include "kernels/conv/conv2d_weight-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

Gather forward_gather(const Conv2dSpec& g, const float* x, const float* b, float* y) {
  return {.y = forward_axis(g.h, g.p(), g.r, g.stride_h, g.dil_h, g.pad_top),
          .x = forward_axis(g.w, g.q(), g.s, g.stride_w, g.dil_w, g.pad_left),
          .n = g.n,
          .groups = g.groups,
          .reduce = g.cg(),
          .columns = g.kg(),
          .in = x,
          .in_pitch = g.x_pitch(),
          .out = y,
          .out_pitch = g.y_pitch(),
          .bias = b,
          .w_column = int64_t{g.r} * g.s * g.cg(),
          .w_reduce = 1,
          .w_group = g.w_size() / g.groups,
          .w_row = int64_t{g.s} * g.cg(),
          .w_tap = g.cg()};
}
// The part of dx with h = residue_h modulo stride_h, w alike.
Gather backward_gather(const Conv2dSpec& g, const float* dy, const float* b, float* dx, int residue_h, int residue_w) {
  return {.y = backward_axis(g.h, g.p(), g.r, g.stride_h, g.dil_h, g.pad_top, residue_h),
          .x = backward_axis(g.w, g.q(), g.s, g.stride_w, g.dil_w, g.pad_left, residue_w),
          .n = g.n,
          .groups = g.groups,
          .reduce = g.kg(),
          .columns = g.cg(),
          .in = dy,
          .in_pitch = g.dy_pitch(),
          .out = dx,
          .out_pitch = g.dx_pitch(),
          .bias = b,
          .w_column = 1,
          .w_reduce = int64_t{g.r} * g.s * g.cg(),
          .w_group = g.w_size() / g.groups,
          .w_row = int64_t{g.s} * g.cg(),
          .w_tap = g.cg()};
}

constexpr int kMaxPhases = 4;
// f(phases) for forward, or for every residue of h those of backward_data, kMaxPhases at a time.
template <class F>
void for_each_backward(const Conv2dSpec& g, const float* dy, const float* b, float* dx, F&& f) {
  for (int h = 0; h < g.stride_h; ++h)
    for (int w = 0; w < g.stride_w; w += kMaxPhases) {
      Gather phases[kMaxPhases];
      const int count = int(at_most(kMaxPhases, g.stride_w - w));
      for (int i = 0; i < count; ++i) phases[i] = backward_gather(g, dy, b, dx, h, w + i);
      f(Phases{phases, count});
    }
}

size_t workspace(const Conv2dSpec& g) {
  int64_t floats = forward_gather(g, nullptr, nullptr, nullptr).packed_size();
  for_each_backward(g, nullptr, nullptr, nullptr,
                    [&](const Phases& phases) { floats = at_least(floats, packed_size(phases)); });
  const size_t gathers = size_t(floats) * sizeof(float),
               sums = size_t(at_least(int64_t(weight_workspace(g)), int64_t(bias_workspace(g))));
  return gathers > sums ? gathers : sums;
}

void run(const Conv2dSpec& g, const Phases& phases, const float* w, float* scratch) {
  bool planar = true;
  for (const Gather& phase : phases) planar = planar && is_planar(phase);
  if (!planar) return (is_depthwise(g) ? depthwise_gather : gather)(phases, w, scratch);
  for (const Gather& phase : phases) planar_gather(phase, w, scratch);
}

void forward(const Exec& exec, const Conv2dSpec& g, const float* x, const float* w, const float* b, float* y) {
  const Gather whole = forward_gather(g, x, b, y);
  run(g, {&whole, 1}, w, static_cast<float*>(exec.scratch));
}
void backward_data_plus(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, const float* b,
                        float* dx) {
  for_each_backward(g, dy, b, dx, [&](const Phases& phases) { run(g, phases, w, static_cast<float*>(exec.scratch)); });
}
void backward_data(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, float* dx) {
  backward_data_plus(exec, g, dy, w, nullptr, dx);
}
void backward_weight(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* x, float* dw) {
  (is_depthwise(g) ? depthwise_weight_gradient : weight_gradient)(g, dy, x, dw, static_cast<float*>(exec.scratch));
}
void backward_bias(const Exec& exec, const Conv2dSpec& g, const float* dy, float* db) {
  bias_gradient(g, dy, db, static_cast<double*>(exec.scratch));
}

}  // namespace
}  // namespace HWY_NAMESPACE

template <>
Conv2dImpl conv2d_simd_impl<KERN_SIMD_ISA>() {
  return {.name = isa_name(KERN_SIMD_ISA),
          .device = Device::cpu,
          .supports = [](const Conv2dSpec&) { return cpu_has(KERN_SIMD_ISA); },
          .workspace = HWY_NAMESPACE::workspace,
          .forward = HWY_NAMESPACE::forward,
          .backward_data = HWY_NAMESPACE::backward_data,
          .backward_weight = HWY_NAMESPACE::backward_weight,
          .backward_bias = HWY_NAMESPACE::backward_bias,
          .backward_data_plus = HWY_NAMESPACE::backward_data_plus};
}

}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
