// bce_with_logits: binary cross entropy of logits x with targets t in [0,1], as torch's
// binary_cross_entropy_with_logits:
//   l = (1 - t) x + (1 + (pos_weight - 1) t) log(1 + exp(-x)),   L = 1/D sum w l
// with D = the number of values, or the sum of the weights w where by_weight (a mask then gives the mean of what it
// keeps; D = 0 gives L = 0 and no gradient). Values whose weight is 0 take no part, whatever x and t are there.
//   dx = dL/D w ((1 - t) - (1 + (pos_weight - 1) t) sigmoid(-x))
// Layouts: x, dx, t, w [rows, C], w may be null (all 1); loss, dy [1]; saved [1]: D. pitch.x is x's, pitch.y is t's.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

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

template <Scalar T>
void bce_forward_reference(const BceSpec& g, const T* x, const T* t, const T* w, T* loss, T* saved) {
  T sum = 0, weights = 0;
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const T wi = w ? w[i * g.w_pitch() + c] : T(1);
      if (real_part(wi) == 0) continue;
      sum += wi * bce_value(x[i * g.x_pitch() + c], t[i * g.t_pitch() + c], T(g.pos_weight));
      weights += wi;
    }
  *saved = g.by_weight ? weights : T(double(g.size()));
  *loss = real_part(*saved) == 0 ? T(0) : sum / *saved;
}
template <Scalar T>
void bce_backward_reference(const BceSpec& g, const T* dy, const T* x, const T* t, const T* w, const T* saved, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const T wi = w ? w[i * g.w_pitch() + c] : T(1);
      const bool counts = real_part(wi) != 0 && real_part(*saved) != 0;
      dx[i * g.dx_pitch() + c] =
          counts ? *dy / *saved * wi * bce_derivative(x[i * g.x_pitch() + c], t[i * g.t_pitch() + c], T(g.pos_weight))
                 : T(0);
    }
}

struct BceImpl {
  const char* name;
  Device device;
  bool (*supports)(const BceSpec&);
  size_t (*workspace)(const BceSpec&);  // of forward
  void (*forward)(const Exec&, const BceSpec&, const float* x, const float* t, const float* w, float* loss,
                  float* saved);
  void (*backward)(const Exec&, const BceSpec&, const float* dy, const float* x, const float* t, const float* w,
                   const float* saved, float* dx);
};
BceImpl bce_with_logits_cuda_impl();  // bce_with_logits.cu
const Registry<BceImpl>& bce_with_logits_registry();

}  // namespace kern::kernels
