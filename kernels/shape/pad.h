// pad: y[n,p,q,c] = x[n, p - top, q - left, c]. Outside of x there is 0, or with `mirror` x itself reflected at its
// border, the border's values standing twice (NumPy's "symmetric"), as often as it takes:
//   y[n,p,q,c] = x[n, m(p - top, H), m(q - left, W), c],  m(i, S) = j if j < S, 2 S - 1 - j otherwise,  j = i mod 2 S
// Negative amounts crop; both may meet in one call.
// Backward: dx[n,h,w,c] = sum of dy[n,p,q,c] over all (p, q) that show (h, w), in ascending order. Without `mirror`
// that is at most one, and backward is pad itself with every amount negated: inverse().
// Layouts: x [N,H,W,C]; y [N,P,Q,C]. A signal [N,L,C] is an image of H = 1.
#pragma once
#include <algorithm>

#include "kernels/common/op.h"

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

struct Pad {
  static constexpr const char* kName = "pad";
  using Spec = PadSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 1;
    const T* x;
    T* y;
    void arrays(const Spec& g, auto&& f) {
      f("x", x, {g.x_rows(), g.c, g.x_pitch()}), f("y", y, {g.y_rows(), g.c, g.y_pitch()});
    }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 1;
    const T* dy;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {g.y_rows(), g.c, g.dy_pitch()}), f("dx", dx, {g.x_rows(), g.c, g.dx_pitch()});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    for_each_shown(g, [&](int64_t y_row, int64_t x_row) {
      for (int64_t c = 0; c < g.c; ++c) a.y[y_row * g.y_pitch() + c] = x_row >= 0 ? a.x[x_row * g.x_pitch() + c] : T(0);
    });
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t row = 0; row < g.x_rows(); ++row) std::fill_n(a.dx + row * g.dx_pitch(), g.c, T(0));
    for_each_shown(g, [&](int64_t y_row, int64_t x_row) {
      for (int64_t c = 0; x_row >= 0 && c < g.c; ++c) a.dx[x_row * g.dx_pitch() + c] += a.dy[y_row * g.dy_pitch() + c];
    });
  }
  // f(row of y, the row of x that it shows, or -1)
  template <class F>
  static void for_each_shown(const Spec& g, F&& f) {
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t p = 0; p < g.p(); ++p)
        for (int64_t q = 0; q < g.q(); ++q) {
          const bool mirror = g.mirror && g.h > 0 && g.w > 0;
          const int64_t h = mirror ? mirrored(p - g.top, g.h) : p - g.top,
                        w = mirror ? mirrored(q - g.left, g.w) : q - g.left;
          const bool inside = h >= 0 && h < g.h && w >= 0 && w < g.w;
          f((n * g.p() + p) * g.q() + q, inside ? (n * g.h + h) * g.w + w : -1);
        }
  }
  static std::string shape(const Spec& g) {
    return text(g.n, "x", g.h, "x", g.w, "x", g.c, " to ", g.p(), "x", g.q(), g.mirror ? " mirrored" : "");
  }
  static const Registry<Implementation<Pad>>& registry();
  static Implementation<Pad> cuda();  // pad.cu
};

}  // namespace kern::kernels
