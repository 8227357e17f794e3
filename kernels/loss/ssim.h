// ssim (Wang et al. 2004): 1 - the mean structural similarity of two images over all places where a window of 11 x 11
// fits (P = H - 10, Q = W - 10), per channel. With the window's Gaussian weights w (sigma 1.5, sum 1), R the range of
// the values, c1 = (0.01 R)^2 and c2 = (0.03 R)^2, at every place
//   mx = sum w x,  my = sum w y,  e = sum w (x^2 + y^2),  xy = sum w x y
//   A1 = 2 mx my + c1,  A2 = 2 (xy - mx my) + c2,  B1 = mx^2 + my^2 + c1,  B2 = e - mx^2 - my^2 + c2
//   S = A1 A2 / (B1 B2),  L = 1 - mean S
// and backward, with G^T the sum over the windows that a pixel lies in:
//   dS/dmx = 2 (my (A2 - A1) / (B1 B2) - mx S (1/B1 - 1/B2)),  dS/dxy = 2 A1 / (B1 B2),  dS/de = -S / B2
//   dx = -dL/n (G^T dS/dmx + y G^T dS/dxy + 2 x G^T dS/de),  n = N P Q C;  dy is the same with x and y exchanged
// Windows are separable: a pass down the columns, then one along the row. The second moments less the squares of the
// means would cancel in single precision: everything is in double.
// Layouts: x, y, dx [N,H,W,C], loss, dy [1]. pitch.x is x's, pitch.y is y's.
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

inline constexpr int kSsimWindow = 11;

struct SsimSpec {
  int64_t n = 0, h = kSsimWindow, w = kSsimWindow, c = 1;
  float range = 1;
  Pitches pitch;
  constexpr int64_t p() const { return h - kSsimWindow + 1; }
  constexpr int64_t q() const { return w - kSsimWindow + 1; }
  constexpr int64_t places() const { return n * p() * q() * c; }
  constexpr int64_t pixels() const { return n * h * w; }
  // Bright images with little contrast: squares less squared means cancel.
  constexpr Extent first() const { return {pixels(), c, x_pitch(), 0.97f, 1}; }
  constexpr Extent second() const { return {pixels(), c, y_pitch(), 0.95f, 1}; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr double c1() const { return 0.01 * double(range) * 0.01 * double(range); }
  constexpr double c2() const { return 0.03 * double(range) * 0.03 * double(range); }
  // The spec by which backward gives dy when it is called with y for x and x for y.
  constexpr SsimSpec exchanged() const {
    SsimSpec g = *this;
    g.pitch = {.x = pitch.y, .y = pitch.x, .dx = pitch.dx};
    return g;
  }
  bool operator==(const SsimSpec&) const = default;
};

// The weights of one direction.
struct SsimWeights {
  double w[kSsimWindow];
  SsimWeights() {
    double sum = 0;
    for (int i = 0; i < kSsimWindow; ++i) sum += w[i] = std::exp(-(i - 5) * (i - 5) / (2 * 1.5 * 1.5));
    for (double& v : w) v /= sum;
  }
};

template <class T>
struct SsimPlace {  // S and its derivatives by mx, xy and e
  T s, by_mean, by_product, by_squares;
};
template <class T>
[[gnu::always_inline]] constexpr SsimPlace<T> ssim_place(T mx, T my, T e, T xy, T c1, T c2) {
  const T a1 = T(2) * mx * my + c1, a2 = T(2) * (xy - mx * my) + c2, b1 = mx * mx + my * my + c1,
          b2 = e - mx * mx - my * my + c2;
  const T f = T(1) / (b1 * b2), s = a1 * a2 * f;
  return {s, T(2) * (my * (a2 - a1) * f - mx * s * (T(1) / b1 - T(1) / b2)), T(2) * a1 * f, -s / b2};
}

// The window at (n, p, q), channel c.
template <Scalar T>
SsimPlace<T> ssim_place_reference(const SsimSpec& g, const SsimWeights& weights, const T* x, const T* y, int64_t n,
                                  int64_t p, int64_t q, int64_t c) {
  T mx = 0, my = 0, e = 0, xy = 0;
  for (int r = 0; r < kSsimWindow; ++r)
    for (int s = 0; s < kSsimWindow; ++s) {
      const int64_t pixel = (n * g.h + p + r) * g.w + q + s;
      const T a = x[pixel * g.x_pitch() + c], b = y[pixel * g.y_pitch() + c], w = T(weights.w[r] * weights.w[s]);
      mx += w * a, my += w * b, e += w * (a * a + b * b), xy += w * a * b;
    }
  return ssim_place(mx, my, e, xy, T(g.c1()), T(g.c2()));
}

struct Ssim {
  static constexpr const char* kName = "ssim";
  using Spec = SsimSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 5 * 4 * kSsimWindow;  // maps, each filtered in two directions
    const T *x, *y;
    T* loss;
    void arrays(const Spec& g, auto&& f) { f("x", x, g.first()), f("y", y, g.second()), f("loss", loss, {}); }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 8 * 4 * kSsimWindow;
    const T *dy, *x, *y;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {}), f("x", x, g.first()), f("y", y, g.second()), f("dx", dx, {g.pixels(), g.c, g.dx_pitch()});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    const SsimWeights weights;
    T sum = 0;
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t p = 0; p < g.p(); ++p)
        for (int64_t q = 0; q < g.q(); ++q)
          for (int64_t c = 0; c < g.c; ++c) sum += ssim_place_reference(g, weights, a.x, a.y, n, p, q, c).s;
    *a.loss = T(1) - sum / T(double(g.places()));
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    const SsimWeights weights;
    for (int64_t i = 0; i < g.pixels(); ++i)
      for (int64_t c = 0; c < g.c; ++c) a.dx[i * g.dx_pitch() + c] = T(0);
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t p = 0; p < g.p(); ++p)
        for (int64_t q = 0; q < g.q(); ++q)
          for (int64_t c = 0; c < g.c; ++c) {
            const auto place = ssim_place_reference(g, weights, a.x, a.y, n, p, q, c);
            for (int r = 0; r < kSsimWindow; ++r)
              for (int s = 0; s < kSsimWindow; ++s) {
                const int64_t pixel = (n * g.h + p + r) * g.w + q + s;
                const T u = a.x[pixel * g.x_pitch() + c], v = a.y[pixel * g.y_pitch() + c];
                a.dx[pixel * g.dx_pitch() + c] -= *a.dy / T(double(g.places())) * T(weights.w[r] * weights.w[s]) *
                                                  (place.by_mean + v * place.by_product + T(2) * u * place.by_squares);
              }
          }
  }
  static std::string shape(const Spec& g) { return text(g.n, "x", g.h, "x", g.w, "x", g.c); }
  static const Registry<Implementation<Ssim>>& registry();
  static Implementation<Ssim> cuda();  // ssim.cu
};

}  // namespace kern::kernels
