// tversky (Salehi et al. 2017): 1 - a soft overlap of probabilities with the truth, per class and averaged. With p =
// softmax of a row's K logits, or p = sigmoid of its only one (then class 1 is the one class looked at), t[i,k] = [k =
// target[i]], and sums over a group's rows (the batch, or one sample) that take part:
//   TP_k = sum t p,  FP_k = sum (1 - t) p,  FN_k = sum t (1 - p)
//   A_k = TP_k + smooth,  B_k = TP_k + alpha FP_k + beta FN_k + smooth,  L = 1 - 1/(G K) sum_k A_k / B_k
// Where B = 0 nothing was there to find: A / B counts as 1 and has no gradient. dice is alpha = beta = 1/2.
//   u_k = 1/B_k - (1 - alpha - beta) A_k / B_k^2,  v_k = alpha A_k / B_k^2,  dL/dp[i,k] = -(t u_k - v_k) / (G K)
//   dx = p_k (dp_k - sum_j p_j dp_j) for the softmax, p (1 - p) dp for the sigmoid
// Rows whose target is kIgnore take no part, their dx is 0. Another target that is no class is an Error; on a
// GPU, which cannot throw, its row takes no part.
// Layouts: x, dx [groups rows, K]; target [groups rows]; loss, dy [1]; saved [groups, K, 2]: (A, B).
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/targets.h"

namespace kern::kernels {

struct TverskySpec {
  int64_t groups = 1, rows = 0, k = 1;  // rows of one group
  float alpha = 0.5f, beta = 0.5f, smooth = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, k); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, k); }
  constexpr int64_t saved_size() const { return 2 * groups * k; }
  constexpr double both() const { return 1 - double(alpha) - double(beta); }  // B = both TP + alpha P + beta T + smooth
  bool operator==(const TverskySpec&) const = default;
};

// [class k is the target]; with one logit the class is 1.
constexpr bool is_target(int64_t classes, int64_t k, int32_t target) { return target == (is_binary(classes) ? 1 : k); }

template <Scalar T>
void tversky_forward_reference(const TverskySpec& g, const T* x, const int32_t* target, T* loss, T* saved) {
  T total = 0;
  for (int64_t group = 0; group < g.groups; ++group)
    for (int64_t k = 0; k < g.k; ++k) {
      T tp = 0, p_sum = 0, t_sum = 0;
      for (int64_t r = 0; r < g.rows; ++r) {
        const int64_t i = group * g.rows + r;
        if (target[i] == kIgnore) continue;
        if (target[i] < 0 || target[i] >= class_count(g.k)) throw_bad_target("tversky", class_count(g.k), i, target[i]);
        const T p = class_probability(x + i * g.x_pitch(), g.k, k);
        p_sum += p;
        if (is_target(g.k, k, target[i])) tp += p, t_sum += T(1);
      }
      T &a = saved[2 * (group * g.k + k)], &b = saved[2 * (group * g.k + k) + 1];
      a = tp + T(g.smooth);
      b = tp + T(g.alpha) * (p_sum - tp) + T(g.beta) * (t_sum - tp) + T(g.smooth);
      total += real_part(b) == 0 ? T(1) : a / b;
    }
  *loss = g.groups == 0 ? T(0) : T(1) - total / T(double(g.groups * g.k));
}
template <Scalar T>
void tversky_backward_reference(const TverskySpec& g, const T* dy, const T* x, const int32_t* target, const T* saved,
                                T* dx) {
  for (int64_t i = 0; i < g.groups * g.rows; ++i) {
    const T *xi = x + i * g.x_pitch(), *ab = saved + i / g.rows * g.k * 2;
    auto dp = [&](int64_t k) {
      const T a = ab[2 * k], b = ab[2 * k + 1], t = T(is_target(g.k, k, target[i]) ? 1 : 0);
      if (real_part(b) == 0) return T(0);
      return -*dy / T(double(g.groups * g.k)) * (t / b - a * (T(g.both()) * t + T(g.alpha)) / (b * b));
    };
    T dot = 0;
    for (int64_t k = 0; k < g.k; ++k) dot += class_probability(xi, g.k, k) * dp(k);
    for (int64_t k = 0; k < g.k; ++k) {
      const T p = class_probability(xi, g.k, k);
      const T d = is_binary(g.k) ? p * (T(1) - p) * dp(0) : p * (dp(k) - dot);
      dx[i * g.dx_pitch() + k] = target[i] == kIgnore ? T(0) : d;
    }
  }
}

struct TverskyImpl {
  const char* name;
  Device device;
  bool (*supports)(const TverskySpec&);
  size_t (*workspace)(const TverskySpec&);  // of forward
  void (*forward)(const Exec&, const TverskySpec&, const float* x, const int32_t* target, float* loss, float* saved);
  void (*backward)(const Exec&, const TverskySpec&, const float* dy, const float* x, const int32_t* target,
                   const float* saved, float* dx);
};
TverskyImpl tversky_cuda_impl();  // tversky.cu
const Registry<TverskyImpl>& tversky_registry();

}  // namespace kern::kernels
