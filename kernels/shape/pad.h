// pad: y[n,p,q,c] = x[n, p - top, q - left, c]. Outside of x there is 0, or with `mirror` x itself reflected at its
// border, the border's values standing twice (NumPy's "symmetric"), as often as it takes:
//   y[n,p,q,c] = x[n, m(p - top, H), m(q - left, W), c],  m(i, S) = j if j < S, 2 S - 1 - j otherwise,  j = i mod 2 S
// Negative amounts crop; both may meet in one call.
// Backward: dx[n,h,w,c] = sum of dy[n,p,q,c] over all (p, q) that show (h, w), in ascending order. Without `mirror`
// that is at most one, and backward is pad itself with every amount negated: inverse().
// Layouts: x [N,H,W,C]; y [N,P,Q,C]. A signal [N,L,C] is an image of H = 1.
#pragma once
#include <algorithm>

#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct PadSpec {
  int64_t n = 1, h = 1, w = 1, c = 1;
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  bool mirror = false;  // else zeros
  Pitches pitch;
  constexpr int64_t p() const { return h + top + bottom; }
  constexpr int64_t q() const { return w + left + right; }
  constexpr int64_t x_rows() const { return n * h * w; }
  constexpr int64_t y_rows() const { return n * p() * q(); }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  // From y's shape back to x's, dense.
  constexpr PadSpec inverse() const {
    return {.n = n, .h = p(), .w = q(), .c = c, .top = -top, .bottom = -bottom, .left = -left, .right = -right};
  }
  // inverse() as a call of forward that reads dy and writes dx.
  constexpr PadSpec backward_as_forward() const {
    PadSpec g = inverse();
    g.pitch = {.x = pitch.dy, .y = pitch.dx};
    return g;
  }
  bool operator==(const PadSpec&) const = default;
};

// The position within 0 .. size - 1 that position i of a signal without end shows, which is reflected at both borders.
constexpr int64_t mirrored(int64_t i, int64_t size) {
  const int64_t period = 2 * size, j = (i % period + period) % period;
  return j < size ? j : period - 1 - j;
}

// All positions i of begin .. end - 1 that show position s: s + 2 S k and 2 S - 1 - s + 2 S k. for_each gives them
// ascending.
struct MirrorImages {
  int64_t s, size, begin, end;
  template <class F>
  constexpr void for_each(F&& f) const {
    const int64_t period = 2 * size, back = begin > 0 ? 0 : (period - 1 - begin) / period;
    for (int64_t i = -back * period; i < end; i += period) {
      if (i + s >= begin && i + s < end) f(i + s);
      const int64_t turned = i + period - 1 - s;
      if (turned >= begin && turned < end) f(turned);
    }
  }
};

template <Scalar T>
void pad_reference(const PadSpec& g, const T* x, T* y) {
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t p = 0; p < g.p(); ++p)
      for (int64_t q = 0; q < g.q(); ++q)
        for (int64_t c = 0; c < g.c; ++c) {
          const bool mirror = g.mirror && g.h > 0 && g.w > 0;
          const int64_t h = mirror ? mirrored(p - g.top, g.h) : p - g.top,
                        w = mirror ? mirrored(q - g.left, g.w) : q - g.left;
          const bool inside = h >= 0 && h < g.h && w >= 0 && w < g.w;
          y[((n * g.p() + p) * g.q() + q) * g.y_pitch() + c] =
              inside ? x[((n * g.h + h) * g.w + w) * g.x_pitch() + c] : T(0);
        }
}

template <Scalar T>
void pad_backward_reference(const PadSpec& g, const T* dy, T* dx) {
  for (int64_t row = 0; row < g.x_rows(); ++row) std::fill_n(dx + row * g.dx_pitch(), g.c, T(0));
  if (g.x_rows() == 0) return;
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t p = 0; p < g.p(); ++p)
      for (int64_t q = 0; q < g.q(); ++q) {
        const int64_t h = g.mirror ? mirrored(p - g.top, g.h) : p - g.top;
        const int64_t w = g.mirror ? mirrored(q - g.left, g.w) : q - g.left;
        if (h < 0 || h >= g.h || w < 0 || w >= g.w) continue;
        for (int64_t c = 0; c < g.c; ++c)
          dx[((n * g.h + h) * g.w + w) * g.dx_pitch() + c] += dy[((n * g.p() + p) * g.q() + q) * g.dy_pitch() + c];
      }
}

struct PadImpl {
  const char* name;
  Device device;
  bool (*supports)(const PadSpec&);
  void (*forward)(const Exec&, const PadSpec&, const float* x, float* y);
  void (*backward)(const Exec&, const PadSpec&, const float* dy, float* dx);
};
PadImpl pad_cuda_impl();  // pad.cu
const Registry<PadImpl>& pad_registry();

}  // namespace kern::kernels
