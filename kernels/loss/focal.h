// focal (Lin et al. 2017): cross entropy in which sure rows count little, averaged over the rows that take part (n).
// With q = 1 - p[t] the probability of all other classes than t = target[i] and l = -log p[t]:
//   L = 1/n sum_i f[t] q^gamma l
//   dx[k] = dL/n f[t] q^gamma (gamma p[t] l / q + 1) (p[k] - [k = t])           (l / q is 1 where q = 0)
// p = softmax of a row's K logits and f = weight. With one logit there are two classes, p[1] = sigmoid(x), f[1] = alpha
// and f[0] = 1 - alpha (both 1 where alpha < 0); no weight then. Rows whose target is kIgnore take no part, their dx is
// 0; where n = 0, L = 0. Another target that is no class is an Error; on a GPU, which cannot throw, its row takes no
// part.
// Layouts: x, dx [rows,K]; target [rows]; weight [K] or null (all 1); loss, dy [1]; saved [1]: n.
#pragma once
#include "kernels/common/targets.h"
#include "kernels/loss/class_loss.h"

namespace kern::kernels {

struct FocalSpec {
  int64_t rows = 0, k = 1;
  float gamma = 2;   // >= 0
  float alpha = -1;  // of class 1 of two with one logit; negative: no weights
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, k); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, k); }
  // f of a target with one logit
  constexpr float binary_factor(int32_t target) const { return alpha < 0 ? 1 : target == 1 ? alpha : 1 - alpha; }
  template <class T>
  constexpr T factor(int32_t target, const T* weight) const {  // f
    return is_binary(k) ? T(binary_factor(target)) : weight ? weight[target] : T(1);
  }
  constexpr Extent logits() const { return {rows, k, x_pitch(), -3, 3}; }
  constexpr Extent targets() const { return {.rows = rows, .classes = class_count(k)}; }
  constexpr Extent weights() const { return {.columns = k, .low = 0.1f, .high = 2, .optional = true}; }
  constexpr Extent saved() const { return {}; }
  constexpr Extent gradient() const { return {rows, k, dx_pitch()}; }
  bool operator==(const FocalSpec&) const = default;
};

// q and l of one row.
template <class T>
struct FocalRowTerms {
  T q, l;
};
template <class T>
FocalRowTerms<T> focal_row(const T* x, int64_t k, int32_t target) {
  const T two[] = {T(0), x[0]};  // the sigmoid is the softmax of these
  const T* row = is_binary(k) ? two : x;
  T max = row[0], others = 0;
  for (int64_t j = 1; j < class_count(k); ++j)
    if (real_part(row[j]) > real_part(max)) max = row[j];
  for (int64_t j = 0; j < class_count(k); ++j)
    if (j != target) others += std::exp(row[j] - max);
  const T sum = others + std::exp(row[target] - max);
  return {others / sum, std::log(sum) + (max - row[target])};
}
template <class T>
T focal_power(T q, float gamma) {
  return gamma == 0 ? T(1) : real_part(q) == 0 ? T(0) : std::pow(q, T(gamma));
}

struct Focal {
  static constexpr const char* kName = "focal";
  using Spec = FocalSpec;
  template <class T>
  using Forward = ClassLossForward<Spec, T>;
  template <class T>
  using Backward = ClassLossBackward<Spec, T>;
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    T sum = 0, count = 0;
    for (int64_t i = 0; i < g.rows; ++i) {
      const int32_t t = a.target[i];
      if (t == kIgnore) continue;
      if (t < 0 || t >= class_count(g.k)) throw_bad_target(kName, class_count(g.k), i, t);
      const auto [q, l] = focal_row(a.x + i * g.x_pitch(), g.k, t);
      sum += g.factor(t, a.weight) * focal_power(q, g.gamma) * l;
      count += T(1);
    }
    *a.saved = count;
    *a.loss = real_part(count) == 0 ? T(0) : sum / count;
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t k = 0; k < g.k; ++k) {
        const int32_t t = a.target[i];
        T& to = a.dx[i * g.dx_pitch() + k];
        to = T(0);
        if (t == kIgnore) continue;
        const T* xi = a.x + i * g.x_pitch();
        const auto [q, l] = focal_row(xi, g.k, t);
        const T ratio = real_part(q) == 0 ? T(1) : l / q;
        const bool own = is_binary(g.k) ? t == 1 : k == t;
        const T lead = own ? -q : class_probability(xi, g.k, k);  // p[k] - [k = t]
        const T slope = focal_power(q, g.gamma) * (T(g.gamma) * (T(1) - q) * ratio + T(1));
        to = *a.dy / *a.saved * g.factor(t, a.weight) * slope * lead;
      }
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.k); }
  static const Registry<Implementation<Focal>>& registry();
  static Implementation<Focal> cuda();  // focal.cu
};

}  // namespace kern::kernels
