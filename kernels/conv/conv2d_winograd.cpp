// The Winograd implementations of conv2d: 3x3 filters (signals: of 3; volumes: of up to 3 such planes) of stride 1, 4x4
// and 3x3 filters of stride 2; dilation 1, one group. Four times (signals: twice; stride 2: 2.6 and 1.8 times) fewer
// multiplications than a direct convolution, at the price of the transforms: they pay from a number of channels and
// tiles on. What makes it fast stands in
//   common/tile-inl.h                  the micro-kernel of the matrix products
//   conv2d_winograd_tiles-inl.h        transforms, tiles
//   conv2d_winograd-inl.h              forward and backward_data
//   conv2d_winograd_weight-inl.h       backward_weight
// This file says which cases they serve; where the direct row is the faster one, its entries do the work.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/conv/conv2d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv/conv2d_winograd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/conv/conv2d_winograd-inl.h"
#include "kernels/conv/conv2d_winograd_weight-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

Tiling tiling_of(const Conv2dSpec& g, int d, int h, int w) {
  const int points = g.stride_w == 2 ? 5 : 6;
  return {g.n, h, w, g.r == 1 ? 1 : points, points, d};
}
Tiling output_tiling(const Conv2dSpec& g) { return tiling_of(g, g.o(), g.p(), g.q()); }
// Of one plane each.
int64_t tiles(const Conv2dSpec& g) {
  const Tiling all = output_tiling(g);
  return all.count() * all.planes;
}

WinogradGather forward_gather(const Conv2dSpec& g, const float* x, const float* b, float* y) {
  return {.tiling = output_tiling(g),
          .in = {x, g.x_pitch(), g.h, g.w, g.c, g.pad_top, g.pad_left, g.stride_w, g.d, g.pad_front},
          .out = {y, g.y_pitch(), g.p(), g.q(), 0, 0, 1, g.o()},
          .columns = g.k,
          .bias = b,
          .taps_y = g.r,
          .taps_x = g.s,
          .w_column = int64_t{g.t} * g.r * g.s * g.c,
          .w_reduce = 1,
          .w_first = 0,
          .w_row = int64_t{g.s} * g.c,
          .w_tap = g.c,
          .taps_z = g.t,
          .w_plane = int64_t{g.r} * g.s * g.c,
          .volume = g.volume()};
}

// One direction of backward_data's outputs residue + i * stride: these read the taps first, first - stride, .. down to
// 0 or 1, of dy from i - pad on.
struct Residue {
  int taps, first, pad;
  Residue(int filter, int stride, int padding, int residue) {
    const int phase = (residue + padding) % stride;
    taps = taps_of_phase(filter, stride, phase);
    first = phase + (taps - 1) * stride;
    pad = taps - 1 - (residue + padding) / stride;
  }
};
WinogradGather backward_gather(const Conv2dSpec& g, const float* dy, const float* b, float* dx, int residue_h,
                               int residue_w) {
  const int stride = g.stride_w;
  const Residue z(g.t, 1, g.pad_front, 0), y(g.r, stride, g.pad_top, residue_h), x(g.s, stride, g.pad_left, residue_w);
  return {.tiling = tiling_of(g, g.d, int(ceil_div(g.h, stride)), int(ceil_div(g.w, stride))),
          .in = {dy, g.dy_pitch(), g.p(), g.q(), g.k, y.pad, x.pad, 1, g.o(), z.pad},
          .out = {dx, g.dx_pitch(), g.h, g.w, residue_h, residue_w, stride, g.d},
          .columns = g.c,
          .bias = b,
          .taps_y = y.taps,
          .taps_x = x.taps,
          .w_column = 1,
          .w_reduce = int64_t{g.t} * g.r * g.s * g.c,
          .w_first = ((int64_t{z.first} * g.r + y.first) * g.s + x.first) * g.c,
          .w_row = int64_t{-stride} * g.s * g.c,
          .w_tap = int64_t{-stride} * g.c,
          .taps_z = g.t,
          .w_plane = -int64_t{g.r} * g.s * g.c,
          .volume = g.volume()};
}
template <class F>
void with_backward(const Conv2dSpec& g, const float* dy, const float* b, float* dx, F&& f) {
  const int stride = g.stride_w;
  WinogradGather residues[4];
  for (int i = 0; i < stride * stride; ++i) residues[i] = backward_gather(g, dy, b, dx, i / stride, i % stride);
  f(WinogradPhases{residues, stride * stride});
}

WinogradWeight weight_sums(const Conv2dSpec& g, const float* dy, const float* x) {
  return {.tiling = output_tiling(g),
          .dy = {dy, g.dy_pitch(), g.p(), g.q(), g.k, 0, 0, 1, g.o(), 0},
          .x = {x, g.x_pitch(), g.h, g.w, g.c, g.pad_top, g.pad_left, g.stride_w, g.d, g.pad_front},
          .taps_y = g.r,
          .taps_x = g.s,
          .taps_z = g.t,
          .volume = g.volume()};
}

// --- what measured faster than the direct row ----------------------------------------------------------------------

bool strided(const Conv2dSpec& g) { return g.stride_w == 2; }
// Forward and backward_data transform the whole filter first, which few tiles do not repay: of stride 1 if it fills the
// cache, of stride 2 as many multiplications as a pair of channels must save. Less, if it need not be kept.
enum class Way { whole, streamed, direct };
Way way_of(const Conv2dSpec& g, bool backward_data) {
  const int64_t pairs = int64_t{g.c} * g.k;
  if (!strided(g)) return tiles(g) >= 32 || pairs <= 1 << 14 ? Way::whole : Way::direct;
  const int64_t direct = int64_t{g.n} * g.p() * g.q() * g.r * g.s, products = tiles(g) * (g.r == 4 ? 100 : 81) * 5 / 4;
  if (direct > products + (backward_data && pairs <= 8192 ? 5000 : 9000)) return Way::whole;
  return direct > products + (backward_data ? 2000 : 1000) ? Way::streamed : Way::direct;
}

bool supports(const Conv2dSpec& g) {
  if (!winograd_enabled()) return false;
  if (g.volume() && (g.r != 3 || g.stride_w != 1 || g.stride_d != 1 || g.dil_d != 1 || g.t > 3)) return false;
  if (g.stride_h != g.stride_w || g.dil_h != 1 || g.dil_w != 1 || g.groups != 1 || tiles(g) < 16) return false;
  const int64_t pairs = int64_t{g.c} * g.k, fewest = at_most(g.c, g.k);
  if (strided(g)) return g.r == g.s && (g.r == 4 || g.r == 3) && fewest >= 16 && at_most(g.p(), g.q()) >= 3;
  const bool planar = g.r == 3, signal = g.r == 1 && g.h == 1 && g.p() == 1;
  if (g.stride_w != 1 || g.s != 3 || !(planar || signal)) return false;
  const bool wide = planar ? fewest >= 8 && (g.volume() || pairs >= 128) : fewest >= 16 && pairs >= 1024;
  return wide && at_most(g.q(), g.w) >= 3 && (signal || at_most(g.p(), g.h) >= 3);
}

// f(phases) for all of a direction: forward is one gather.
template <class F>
void with_direction(const Conv2dSpec& g, bool backward_data, const float* in, const float* b, float* out, F&& f) {
  if (backward_data) return with_backward(g, in, b, out, f);
  const WinogradGather whole = forward_gather(g, in, b, out);
  f(WinogradPhases{&whole, 1});
}

size_t workspace(const Conv2dSpec& g) {
  size_t bytes = conv2d_simd_impl<KERN_SIMD_ISA>().workspace(g);
  auto need = [&](size_t other) { bytes = other > bytes ? other : bytes; };
  for (const bool backward_data : {false, true})
    if (const Way way = way_of(g, backward_data); way != Way::direct)
      with_direction(g, backward_data, nullptr, nullptr, nullptr, [&](const WinogradPhases& phases) {
        need(way == Way::streamed ? WinogradStream(phases).workspace()
                                  : size_t(winograd_filters(phases)) * sizeof(float) + winograd_workspace(phases));
      });
  need(winograd_workspace(weight_sums(g, nullptr, nullptr)));
  return bytes;
}

void run_direction(const Exec& exec, const Conv2dSpec& g, bool backward_data, const float* in, const float* w,
                   const float* b, float* out) {
  with_direction(g, backward_data, in, b, out, [&](const WinogradPhases& phases) {
    auto* const filters = static_cast<float*>(exec.scratch);
    if (way_of(g, backward_data) == Way::streamed) return stream_gather(phases, w, filters);
    transform_filters(phases, w, filters);
    winograd_gather(phases, filters, filters + winograd_filters(phases));
  });
}
void forward(const Exec& exec, const Conv2dSpec& g, const float* x, const float* w, const float* b, float* y) {
  if (way_of(g, false) == Way::direct) return conv2d_simd_impl<KERN_SIMD_ISA>().forward(exec, g, x, w, b, y);
  run_direction(exec, g, false, x, w, b, y);
}
void backward_data_plus(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, const float* b,
                        float* dx) {
  if (way_of(g, true) == Way::direct)
    return conv2d_simd_impl<KERN_SIMD_ISA>().backward_data_plus(exec, g, dy, w, b, dx);
  run_direction(exec, g, true, dy, w, b, dx);
}
void backward_data(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, float* dx) {
  backward_data_plus(exec, g, dy, w, nullptr, dx);
}
void backward_weight(const Exec& exec, const Conv2dSpec& g, const float* dy, const float* x, float* dw) {
  winograd_weight_gradient(weight_sums(g, dy, x), dw, static_cast<float*>(exec.scratch));
}

// A prepared filter: the bias, padded, then the filter transformed, or as it is where it is streamed; or as the direct
// one has it.
int64_t bias_size(const Conv2dSpec& g, bool backward_data) {
  return ceil_div(backward_data ? g.c : g.k, kLanes) * kLanes;
}
uint32_t prepared_form(const Conv2dSpec& g, bool backward_data) {
  if (way_of(g, backward_data) == Way::direct) return conv2d_simd_impl<KERN_SIMD_ISA>().prepared.form(g, backward_data);
  return way_of(g, backward_data) == Way::whole ? 0 : UINT32_MAX;
}
size_t prepared_bytes(const Conv2dSpec& g, bool backward_data) {
  const Way way = way_of(g, backward_data);
  if (way == Way::direct) return conv2d_simd_impl<KERN_SIMD_ISA>().prepared.bytes(g, backward_data);
  int64_t floats = bias_size(g, backward_data);
  if (way == Way::streamed) return size_t(floats + g.w_size()) * sizeof(float);
  with_direction(g, backward_data, nullptr, nullptr, nullptr,
                 [&](const WinogradPhases& phases) { floats += winograd_filters(phases); });
  return size_t(floats) * sizeof(float);
}
void prepare(const Conv2dSpec& g, bool backward_data, const float* w, const float* b, void* prepared) {
  const Way way = way_of(g, backward_data);
  if (way == Way::direct) return conv2d_simd_impl<KERN_SIMD_ISA>().prepared.prepare(g, backward_data, w, b, prepared);
  auto* const bias = static_cast<float*>(prepared);
  const int columns = backward_data ? g.c : g.k;
  for (int64_t k = 0; k < bias_size(g, backward_data); ++k) bias[k] = b && k < columns ? b[k] : 0.0f;
  if (way == Way::streamed) {
    for (int64_t i = 0; i < g.w_size(); ++i) bias[bias_size(g, backward_data) + i] = w[i];
    return;
  }
  with_direction(g, backward_data, nullptr, nullptr, nullptr, [&](const WinogradPhases& phases) {
    transform_filters(phases, w, bias + bias_size(g, backward_data));
  });
}
void run_prepared(const Exec& exec, const Conv2dSpec& g, bool backward_data, const float* in, const void* prepared,
                  Limits limits, float* out) {
  const Way way = way_of(g, backward_data);
  if (way == Way::direct)
    return conv2d_simd_impl<KERN_SIMD_ISA>().prepared.run(exec, g, backward_data, in, prepared, limits, out);
  const float range[2] = {limits.low, limits.high};
  const auto* const bias = static_cast<const float*>(prepared);
  with_direction(g, backward_data, in, bias, out, [&](const WinogradPhases& phases) {
    WinogradGather limited[4];
    for (int i = 0; i < phases.count; ++i) {
      limited[i] = phases.of[i];
      if (limits.any()) limited[i].limits = range;
    }
    const WinogradPhases all{limited, phases.count};
    const float* const filter = bias + bias_size(g, backward_data);
    auto* const scratch = static_cast<float*>(exec.scratch);
    if (way == Way::streamed) stream_gather(all, filter, scratch);
    else winograd_gather(all, filter, scratch);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
Conv2dImpl conv2d_winograd_impl<KERN_SIMD_ISA>() {
  return {.name = KERN_SIMD_ISA == Isa::avx512 ? "winograd_avx512"
                  : KERN_SIMD_ISA == Isa::avx2 ? "winograd_avx2"
                                               : "winograd_simd",
          .device = Device::cpu,
          .supports = [](const Conv2dSpec& g) { return cpu_has(KERN_SIMD_ISA) && HWY_NAMESPACE::supports(g); },
          .workspace = HWY_NAMESPACE::workspace,
          .forward = HWY_NAMESPACE::forward,
          .backward_data = HWY_NAMESPACE::backward_data,
          .backward_weight = HWY_NAMESPACE::backward_weight,
          .backward_bias = conv2d_simd_impl<KERN_SIMD_ISA>().backward_bias,
          .backward_data_plus = HWY_NAMESPACE::backward_data_plus,
          .exact = false,
          .prepared = {.form = HWY_NAMESPACE::prepared_form,
                       .bytes = HWY_NAMESPACE::prepared_bytes,
                       .prepare = HWY_NAMESPACE::prepare,
                       .run = HWY_NAMESPACE::run_prepared}};
}

}  // namespace kern::kernels
