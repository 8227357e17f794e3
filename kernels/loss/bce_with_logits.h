// bce_with_logits: binary cross entropy of logits x with targets t in [0,1], as torch's
// binary_cross_entropy_with_logits:
//   l = (1 - t) x + (1 + (pos_weight - 1) t) log(1 + exp(-x)),   L = 1/D sum w l
// with D = the number of values, or the sum of the weights w where by_weight (a mask then gives the mean of what it
// keeps; D = 0 gives L = 0 and no gradient). Values whose weight is 0 take no part, whatever x and t are there.
//   dx = dL/D w ((1 - t) - (1 + (pos_weight - 1) t) sigmoid(-x))
// Layouts: x, dx, t, w [rows, C], w may be null (all 1); loss, dy [1]; saved [1]: D. pitch.x is x's, pitch.y is t's.
#pragma once
#include "kernels/common/op.h"

namespace kern::kernels {

struct BceSpec {
  int64_t rows = 0, c = 1;
  float pos_weight = 1;
  bool by_weight = false;
  int64_t w_pitch_given = 0;  // of w; 0 = dense
  Pitches pitch;
  constexpr int64_t size() const { return rows * c; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t t_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t w_pitch() const { return pitch_or(w_pitch_given, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr Extent logits() const { return {rows, c, x_pitch(), -6, 6}; }
  constexpr Extent targets() const { return {rows, c, t_pitch(), 0, 1}; }
  constexpr Extent weights() const {
    return {.rows = rows, .columns = c, .pitch = w_pitch(), .low = 0, .high = 2, .optional = true};
  }
  bool operator==(const BceSpec&) const = default;
};

// exp of nothing positive: nothing overflows.
template <class T>
T bce_value(T x, T t, T pos_weight) {
  const bool positive = real_part(x) >= 0;
  const T e = std::exp(positive ? -x : x);
  const T softplus = (positive ? T(0) : -x) + std::log(T(1) + e);  // log(1 + exp(-x))
  return (T(1) - t) * x + (T(1) + (pos_weight - T(1)) * t) * softplus;
}
template <class T>
T bce_derivative(T x, T t, T pos_weight) {
  const bool positive = real_part(x) >= 0;
  const T e = std::exp(positive ? -x : x);
  const T sigmoid_of_minus = (positive ? e : T(1)) / (T(1) + e);
  return (T(1) - t) - (T(1) + (pos_weight - T(1)) * t) * sigmoid_of_minus;
}

struct BceWithLogits {
  static constexpr const char* kName = "bce_with_logits";
  using Spec = BceSpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 6;
    const T *x, *t, *w;
    T *loss, *saved;
    void arrays(const Spec& g, auto&& f) {
      f("x", x, g.logits()), f("t", t, g.targets()), f("w", w, g.weights()), f("loss", loss, {}), f("saved", saved, {});
    }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 6;
    const T *dy, *x, *t, *w, *saved;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {}), f("x", x, g.logits()), f("t", t, g.targets()), f("w", w, g.weights()), f("saved", saved, {});
      f("dx", dx, {g.rows, g.c, g.dx_pitch()});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    T sum = 0, weights = 0;
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) {
        const T wi = a.w ? a.w[i * g.w_pitch() + c] : T(1);
        if (real_part(wi) == 0) continue;
        sum += wi * bce_value(a.x[i * g.x_pitch() + c], a.t[i * g.t_pitch() + c], T(g.pos_weight));
        weights += wi;
      }
    *a.saved = g.by_weight ? weights : T(double(g.size()));
    *a.loss = real_part(*a.saved) == 0 ? T(0) : sum / *a.saved;
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) {
        const T wi = a.w ? a.w[i * g.w_pitch() + c] : T(1);
        const T slope = bce_derivative(a.x[i * g.x_pitch() + c], a.t[i * g.t_pitch() + c], T(g.pos_weight));
        const bool counts = real_part(wi) != 0 && real_part(*a.saved) != 0;
        a.dx[i * g.dx_pitch() + c] = counts ? *a.dy / *a.saved * wi * slope : T(0);
      }
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.c); }
  static const Registry<Implementation<BceWithLogits>>& registry();
  static Implementation<BceWithLogits> cuda();  // bce_with_logits.cu
};

}  // namespace kern::kernels
