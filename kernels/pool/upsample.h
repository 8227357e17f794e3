// upsample: [N,H,W,C] to [N,P,Q,C] of any size, by the nearest value or (bi)linearly, exactly as
// torch.nn.functional.interpolate:
//   nearest:                 y[n,p,q,c] = x[n, floor(p step_h), floor(q step_w), c],  step_h = H / P
//   linear:                  y[n,p,q,c] = sum over the two rows h0, h1 and columns w0, w1 of weight x,
//                            h0 = floor(u), h1 = h0 + 1, weights 1 - (u - h0) and u - h0, and both inside the border
//     half-pixel centres:    u = max(0, (p + 1/2) step_h - 1/2),  step_h = H / P
//     align_corners:         u = p step_h,  step_h = (H - 1) / (P - 1)
// Where a factor was given instead of a size, step_h = 1 / factor (but for align_corners). Positions are computed in
// float.
// Backward: dx[n,h,w,c] = sum of weight dy[n,p,q,c] over the p, q that read (h, w).
// Layouts: x, dx [N,H,W,C]; y, dy [N,P,Q,C]. A signal [N,L,C] is an image of H = P = 1.
#pragma once
#include <algorithm>

#include "kernels/common/bf16.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

enum class Upsampling { nearest, linear };
inline std::string_view to_string(Upsampling u) { return u == Upsampling::nearest ? "nearest" : "linear"; }

// What one output position reads along one dimension: values i0 and i1 (perhaps the same), weights 1 - w1 and w1.
struct Tap {
  int i0, i1;
  float w1;
  constexpr float weight(int i) const { return (i == i0 ? 1 - w1 : 0.0f) + (i == i1 ? w1 : 0.0f); }
};

struct UpsampleSpec {
  int n = 1, c = 1, h = 1, w = 1, p = 1, q = 1;
  Upsampling how = Upsampling::nearest;
  bool align_corners = false;
  float step_h = 0, step_w = 0;  // input rows per output row, where a factor was given; 0 = from the sizes
  Pitches pitch;
  constexpr int64_t x_rows() const { return int64_t{n} * h * w; }
  constexpr int64_t y_rows() const { return int64_t{n} * p * q; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  constexpr Tap row_tap(int pi) const { return tap(pi, h, p, step_h); }
  constexpr Tap column_tap(int qi) const { return tap(qi, w, q, step_w); }

  // Input positions per output position, where `given` is what was given.
  constexpr float step(int in_size, int out_size, float given) const {
    if (how == Upsampling::linear && align_corners)
      return out_size > 1 ? float(in_size - 1) / float(out_size - 1) : 0.0f;
    return given == 0 ? float(in_size) / float(out_size) : given;
  }
  constexpr Tap tap(int out, int in_size, int out_size, float given) const {
    const float step = this->step(in_size, out_size, given);
    if (how == Upsampling::nearest) {
      const int i = out_size == in_size       ? out
                    : out_size == 2 * in_size ? out / 2
                                              : std::min(in_size - 1, int(float(out) * step));
      return {i, i, 0};
    }
    const float u = align_corners ? float(out) * step : std::max(0.0f, (float(out) + 0.5f) * step - 0.5f);
    const int i0 = std::min(in_size - 1, int(u));
    return {i0, std::min(in_size - 1, i0 + 1), std::min(1.0f, std::max(0.0f, u - float(i0)))};
  }
  bool operator==(const UpsampleSpec&) const = default;
};

// f(x row, y row, weight) for every product of the sum.
template <class F>
void upsample_for_each(const UpsampleSpec& g, F&& f) {
  for (int n = 0; n < g.n; ++n)
    for (int p = 0; p < g.p; ++p)
      for (int q = 0; q < g.q; ++q) {
        const Tap a = g.row_tap(p), b = g.column_tap(q);
        for (int h = a.i0; h <= a.i1; ++h)
          for (int w = b.i0; w <= b.i1; ++w)
            f((int64_t{n} * g.h + h) * g.w + w, (int64_t{n} * g.p + p) * g.q + q, a.weight(h) * b.weight(w));
      }
}
template <Scalar T>
void upsample_forward_reference(const UpsampleSpec& g, const T* x, T* y) {
  for (int64_t i = 0; i < g.y_rows(); ++i)
    for (int c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = T(0);
  upsample_for_each(g, [&](int64_t xi, int64_t yi, float weight) {
    for (int c = 0; c < g.c; ++c) y[yi * g.y_pitch() + c] += T(weight) * x[xi * g.x_pitch() + c];
  });
}
template <Scalar T>
void upsample_backward_reference(const UpsampleSpec& g, const T* dy, T* dx) {
  for (int64_t i = 0; i < g.x_rows(); ++i)
    for (int c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] = T(0);
  upsample_for_each(g, [&](int64_t xi, int64_t yi, float weight) {
    for (int c = 0; c < g.c; ++c) dx[xi * g.dx_pitch() + c] += T(weight) * dy[yi * g.dy_pitch() + c];
  });
}

// T: what values are in memory, float or Bf16.
template <class T>
struct UpsampleImplOf {
  const char* name;
  Device device;
  bool (*supports)(const UpsampleSpec&);
  size_t (*workspace)(const UpsampleSpec&);
  void (*forward)(const Exec&, const UpsampleSpec&, const T* x, T* y);
  void (*backward)(const Exec&, const UpsampleSpec&, const T* dy, T* dx);
};
using UpsampleImpl = UpsampleImplOf<float>;
template <class T>
UpsampleImplOf<T> upsample_cuda_impl();  // upsample.cu
template <class T = float>
const Registry<UpsampleImplOf<T>>& upsample_registry();

}  // namespace kern::kernels
