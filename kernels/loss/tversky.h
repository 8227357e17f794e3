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
#include "kernels/common/op.h"
#include "kernels/common/targets.h"

namespace kern::kernels {

struct TverskySpec {
  int64_t groups = 1, rows = 0, k = 1;  // rows of one group
  float alpha = 0.5f, beta = 0.5f, smooth = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, k); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, k); }
  constexpr Extent logits() const { return {groups * rows, k, x_pitch(), -3, 3}; }
  constexpr Extent targets() const { return {.rows = groups * rows, .classes = class_count(k)}; }
  constexpr Extent sums() const { return {groups * k, 2}; }
  constexpr double both() const { return 1 - double(alpha) - double(beta); }  // B = both TP + alpha P + beta T + smooth
  bool operator==(const TverskySpec&) const = default;
};

// [class k is the target]; with one logit the class is 1.
constexpr bool is_target(int64_t classes, int64_t k, int32_t target) { return target == (is_binary(classes) ? 1 : k); }

struct Tversky {
  static constexpr const char* kName = "tversky";
  using Spec = TverskySpec;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 6;
    const T* x;
    const int32_t* target;
    T *loss, *saved;
    void arrays(const Spec& g, auto&& f) {
      f("x", x, g.logits()), f("target", target, g.targets()), f("loss", loss, {}), f("saved", saved, g.sums());
    }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 8;
    const T *dy, *x;
    const int32_t* target;
    const T* saved;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {}), f("x", x, g.logits()), f("target", target, g.targets()), f("saved", saved, g.sums());
      f("dx", dx, {g.groups * g.rows, g.k, g.dx_pitch()});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    T total = 0;
    for (int64_t group = 0; group < g.groups; ++group)
      for (int64_t k = 0; k < g.k; ++k) {
        T tp = 0, p_sum = 0, t_sum = 0;
        for (int64_t r = 0; r < g.rows; ++r) {
          const int64_t i = group * g.rows + r;
          const int32_t t = a.target[i];
          if (t == kIgnore) continue;
          if (t < 0 || t >= class_count(g.k)) throw_bad_target(kName, class_count(g.k), i, t);
          const T p = class_probability(a.x + i * g.x_pitch(), g.k, k);
          p_sum += p;
          if (is_target(g.k, k, t)) tp += p, t_sum += T(1);
        }
        T *ab = a.saved + 2 * (group * g.k + k), &top = ab[0], &bottom = ab[1];
        top = tp + T(g.smooth);
        bottom = tp + T(g.alpha) * (p_sum - tp) + T(g.beta) * (t_sum - tp) + T(g.smooth);
        total += real_part(bottom) == 0 ? T(1) : top / bottom;
      }
    *a.loss = g.groups == 0 ? T(0) : T(1) - total / T(double(g.groups * g.k));
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.groups * g.rows; ++i) {
      const T *xi = a.x + i * g.x_pitch(), *ab = a.saved + i / g.rows * g.k * 2;
      auto dp = [&](int64_t k) {
        const T top = ab[2 * k], bottom = ab[2 * k + 1], t = T(is_target(g.k, k, a.target[i]) ? 1 : 0);
        if (real_part(bottom) == 0) return T(0);
        const T own = T(g.both()) * t + T(g.alpha);
        return -*a.dy / T(double(g.groups * g.k)) * (t / bottom - top * own / (bottom * bottom));
      };
      T dot = 0;
      for (int64_t k = 0; k < g.k; ++k) dot += class_probability(xi, g.k, k) * dp(k);
      for (int64_t k = 0; k < g.k; ++k) {
        const T p = class_probability(xi, g.k, k);
        const T d = is_binary(g.k) ? p * (T(1) - p) * dp(0) : p * (dp(k) - dot);
        a.dx[i * g.dx_pitch() + k] = a.target[i] == kIgnore ? T(0) : d;
      }
    }
  }
  static std::string shape(const Spec& g) { return text(g.groups, "x", g.rows, "x", g.k); }
  static const Registry<Implementation<Tversky>>& registry();
  static Implementation<Tversky> cuda();  // tversky.cu
};

}  // namespace kern::kernels
