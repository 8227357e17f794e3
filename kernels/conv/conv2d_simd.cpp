// The SIMD implementations of conv2d: channels-last direct convolution without any copy of the input. What makes it
// fast stands in
//   common/tile-inl.h          the micro-kernel: a tile of pixels x output channels (or of filter values) in registers
//   conv2d_gather-inl.h        forward and backward_data: rows cut into tiles, borders, phases of a stride
//   conv2d_planar-inl.h        a gather of a few output channels: pixels in vectors
//   conv2d_dots-inl.h          one of very few, of many input channels: these in vectors
//   conv2d_weight-inl.h        backward_weight and backward_bias: sums over pixels, in a fixed order
//   conv2d_depthwise-inl.h     one channel a group
// This file says which of them serves which case, and what scratch it needs.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/conv/conv2d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/conv2d_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/conv/conv2d_depthwise-inl.h"
#include "kernels/conv/conv2d_dots-inl.h"
#include "kernels/conv/conv2d_gather-inl.h"
#include "kernels/conv/conv2d_planar-inl.h"
#include "kernels/conv/conv2d_weight-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

Gather forward_gather(const Conv2dSpec& g, const float* x, const float* b, float* y) {
  return {.z = forward_axis(g.d, g.o(), g.t, g.stride_d, g.dil_d, g.pad_front),
          .y = forward_axis(g.h, g.p(), g.r, g.stride_h, g.dil_h, g.pad_top),
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
          .w_column = int64_t{g.t} * g.r * g.s * g.cg(),
          .w_reduce = 1,
          .w_group = g.w_size() / g.groups,
          .w_plane = int64_t{g.r} * g.s * g.cg(),
          .w_row = int64_t{g.s} * g.cg(),
          .w_tap = g.cg()};
}
// The part of dx with h = residue_h modulo stride_h, d and w alike.
Gather backward_gather(const Conv2dSpec& g, const float* dy, const float* b, float* dx, int residue_d, int residue_h,
                       int residue_w) {
  return {.z = backward_axis(g.d, g.o(), g.t, g.stride_d, g.dil_d, g.pad_front, residue_d),
          .y = backward_axis(g.h, g.p(), g.r, g.stride_h, g.dil_h, g.pad_top, residue_h),
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
          .w_reduce = int64_t{g.t} * g.r * g.s * g.cg(),
          .w_group = g.w_size() / g.groups,
          .w_plane = int64_t{g.r} * g.s * g.cg(),
          .w_row = int64_t{g.s} * g.cg(),
          .w_tap = g.cg()};
}

// f(phases) for every residue of d and h those of w, kMaxPhases at a time; for all residues of h and w at once where
// they are planar or dots.
template <class F>
void for_each_backward(const Conv2dSpec& g, const float* dy, const float* b, float* dx, F&& f) {
  Gather phases[kMaxPhases];
  for (int d = 0; d < g.stride_d; ++d) {
    if (g.stride_h * g.stride_w <= kMaxPhases) {
      const Phases all{phases, g.stride_h * g.stride_w};
      for (int i = 0; i < all.count; ++i) phases[i] = backward_gather(g, dy, b, dx, d, i / g.stride_w, i % g.stride_w);
      if (all_dotted(all) || planar_together(all)) {
        f(all);
        continue;
      }
    }
    for (int h = 0; h < g.stride_h; ++h)
      for (int w = 0; w < g.stride_w; w += kMaxPhases) {
        const int count = int(at_most(kMaxPhases, g.stride_w - w));
        for (int i = 0; i < count; ++i) phases[i] = backward_gather(g, dy, b, dx, d, h, w + i);
        f(Phases{phases, count});
      }
  }
}

// f(phases) for every part of a direction: forward is one gather.
template <class F>
void for_each_part(const Conv2dSpec& g, bool backward_data, const float* in, const float* b, float* out, F&& f) {
  if (backward_data) return for_each_backward(g, in, b, out, f);
  const Gather whole = forward_gather(g, in, b, out);
  f(Phases{&whole, 1});
}

size_t workspace(const Conv2dSpec& g) {
  int64_t floats = forward_gather(g, nullptr, nullptr, nullptr).packed_size();
  for_each_backward(g, nullptr, nullptr, nullptr,
                    [&](const Phases& phases) { floats = at_least(floats, packed_size(phases)); });
  const size_t gathers = size_t(floats) * sizeof(float),
               sums = size_t(at_least(int64_t(weight_workspace(g)), int64_t(bias_workspace(g))));
  return gathers > sums ? gathers : sums;
}

enum class Form { rows, planar, dots, depthwise };
Form form_of(const Conv2dSpec& g, const Phases& phases) {
  if (all_dotted(phases)) return Form::dots;
  for (const Gather& phase : phases)
    if (!is_planar(phase)) return is_depthwise(g) ? Form::depthwise : Form::rows;
  return Form::planar;
}
int64_t size_of_packed(Form form, const Gather& phase) {
  switch (form) {
    case Form::planar:
      return planar_size(phase);
    case Form::dots:
      return dots_size(phase);
    case Form::depthwise:
      return depthwise_size(phase);
    default:
      return phase.packed_size();
  }
}
int64_t size_of_packed(const Conv2dSpec& g, const Phases& phases) {
  int64_t floats = 0;
  for (const Gather& phase : phases) floats += size_of_packed(form_of(g, phases), phase);
  return floats;
}
// size_of_packed() floats that run() reads in place of w.
void pack(const Conv2dSpec& g, const Phases& phases, const float* w, float* packed) {
  const Form form = form_of(g, phases);
  if (form == Form::depthwise) return pack_depthwise(phases, w, packed);
  if (form == Form::rows) return pack_gather(phases, w, packed);
  for (const Gather& phase : phases) {
    (form == Form::dots ? pack_dots : pack_planar)(phase, w, packed);
    packed += size_of_packed(form, phase);
  }
}
void run(const Conv2dSpec& g, const Phases& phases, const float* packed) {
  const Form form = form_of(g, phases);
  if (form == Form::dots) return dot_gather(phases, packed);
  if (form != Form::planar) return (form == Form::depthwise ? depthwise_gather : gather)(phases, packed);
  if (planar_together(phases)) return planar_gather(phases, packed);
  for (const Gather& phase : phases) {
    planar_gather({&phase, 1}, packed);
    packed += planar_size(phase);
  }
}

void run_direction(const Exec& exec, const Conv2dSpec& g, bool backward_data, const float* in, const float* w,
                   const float* b, float* out) {
  auto* const packed = static_cast<float*>(exec.scratch);
  for_each_part(g, backward_data, in, b, out, [&](const Phases& phases) {
    pack(g, phases, w, packed);
    run(g, phases, packed);
  });
}
void forward(const Exec& exec, const Conv2dSpec& g, const float* x, const float* w, const float* b, float* y) {
  run_direction(exec, g, false, x, w, b, y);
}
void backward_data_plus(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, const float* b,
                        float* dx) {
  run_direction(exec, g, true, dy, w, b, dx);
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

// A prepared filter: the bias, padded, then every part packed.
int64_t bias_size(const Conv2dSpec& g, bool backward_data) {
  return ceil_div(backward_data ? g.c : g.k, kLanes) * kLanes;
}
// Which parts are planar, and which of them together, for that depends on the image. Few parts, or there is no such form.
bool can_prepare(const Conv2dSpec& g) { return g.stride_d <= 4 && g.stride_h <= 4 && g.stride_w <= 4; }
uint32_t prepared_form(const Conv2dSpec& g, bool backward_data) {
  uint32_t form = 1;
  for_each_part(g, backward_data, nullptr, nullptr, nullptr,
                [&](const Phases& phases) { form = 4 * form + uint32_t(form_of(g, phases)); });
  return form;
}
size_t prepared_bytes(const Conv2dSpec& g, bool backward_data) {
  if (!can_prepare(g)) return 0;
  int64_t floats = bias_size(g, backward_data);
  for_each_part(g, backward_data, nullptr, nullptr, nullptr,
                [&](const Phases& phases) { floats += size_of_packed(g, phases); });
  return size_t(floats) * sizeof(float);
}
// f(phases, their part of what is prepared)
template <class F>
void for_each_prepared(const Conv2dSpec& g, bool backward_data, const float* in, float* prepared, float* out, F&& f) {
  float* at = prepared + bias_size(g, backward_data);
  for_each_part(g, backward_data, in, prepared, out, [&](const Phases& phases) {
    f(phases, at);
    at += size_of_packed(g, phases);
  });
}
void prepare(const Conv2dSpec& g, bool backward_data, const float* w, const float* b, void* prepared) {
  auto* const bias = static_cast<float*>(prepared);
  const int columns = backward_data ? g.c : g.k;
  for (int64_t k = 0; k < bias_size(g, backward_data); ++k) bias[k] = b && k < columns ? b[k] : 0.0f;
  for_each_prepared(g, backward_data, nullptr, bias, nullptr,
                    [&](const Phases& phases, float* packed) { pack(g, phases, w, packed); });
}
void run_prepared(const Exec&, const Conv2dSpec& g, bool backward_data, const float* in, const void* prepared,
                  Limits limits, float* out) {
  const float range[2] = {limits.low, limits.high};
  auto* const bias = static_cast<float*>(const_cast<void*>(prepared));  // only read here
  for_each_prepared(g, backward_data, in, bias, out, [&](const Phases& phases, const float* packed) {
    Gather limited[kMaxPhases];
    for (int i = 0; i < phases.count; ++i) {
      limited[i] = phases.of[i];
      if (limits.any()) limited[i].limits = range;
    }
    run(g, {limited, phases.count}, packed);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

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
          .backward_data_plus = HWY_NAMESPACE::backward_data_plus,
          .prepared = {.form = HWY_NAMESPACE::prepared_form,
                       .bytes = HWY_NAMESPACE::prepared_bytes,
                       .prepare = HWY_NAMESPACE::prepare,
                       .run = HWY_NAMESPACE::run_prepared}};
}

}  // namespace kern::kernels
