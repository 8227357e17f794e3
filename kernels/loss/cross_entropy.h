// cross_entropy: the mean over rows of the weighted -log softmax(x)[t], t = target[i], a share e (smoothing) of which
// is spread over all classes:
//   q[i,k] = log(s_i) + m_i - x[i,k],  m_i = max_k x[i,k],  s_i = sum_k exp(x[i,k] - m_i)
//   L = 1/W sum_i ((1 - e) w[t_i] q[i,t_i] + e/K sum_k w[k] q[i,k]),  W = sum_i w[t_i]
//   dx[i,k] = dL/W (a_i exp(x[i,k] - m_i) / s_i - (1 - e) w[t_i] [k = t_i] - e/K w[k]),
//   a_i = (1 - e) w[t_i] + e/K sum_k w[k]
// Rows whose target is kIgnore take no part: they add nothing to L and W, and their dx is 0. Where W = 0, L = 0 and
// dx = 0. This is torch.nn.functional.cross_entropy with class weights and label smoothing (Szegedy et al. 2016). Another
// target outside 0 .. K-1 is an Error; on a GPU, which cannot throw, its row takes no part.
// Layouts: x, dx [rows,K]; target [rows]; weight [K] or null (all 1); loss [1]; saved [2 rows + 1]: (m_i, s_i) of every
// row, not defined for an ignored one, then W.
#pragma once
#include "kernels/common/simd.h"
#include "kernels/common/targets.h"
#include "kernels/loss/class_loss.h"

namespace kern::kernels {

struct CrossEntropySpec {
  int64_t rows = 0, k = 1;
  float smoothing = 0;  // 0 .. 1
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, k); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, k); }
  constexpr double spread() const { return double(smoothing) / double(k); }  // e/K
  constexpr Extent logits() const { return {rows, k, x_pitch(), -3, 3}; }
  constexpr Extent targets() const { return {.rows = rows, .classes = k}; }
  constexpr Extent weights() const { return {.columns = k, .low = 0.1f, .high = 2, .optional = true}; }
  constexpr Extent saved() const { return {.rows = 2 * rows + 1, .is_private = true}; }
  constexpr Extent gradient() const { return {rows, k, dx_pitch()}; }
  bool operator==(const CrossEntropySpec&) const = default;
};

// log(s) + m - x[t], with m and s written where backward looks for them.
template <class T>
T cross_entropy_row(const T* x, int64_t k, int32_t target, T& max, T& sum) {
  max = x[0];
  for (int64_t j = 1; j < k; ++j)
    if (real_part(x[j]) > real_part(max)) max = x[j];
  sum = T(0);
  for (int64_t j = 0; j < k; ++j) sum += std::exp(x[j] - max);
  return std::log(sum) + (max - x[target]);
}

struct CrossEntropy {
  static constexpr const char* kName = "cross_entropy";
  using Spec = CrossEntropySpec;
  template <class T>
  using Forward = ClassLossForward<Spec, T>;
  template <class T>
  using Backward = ClassLossBackward<Spec, T>;
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    T total = 0, sum = 0;
    for (int64_t i = 0; i < g.rows; ++i) {
      const int32_t t = a.target[i];
      if (t == kIgnore) continue;
      if (t < 0 || t >= g.k) throw_bad_target(kName, g.k, i, t);
      const T w = a.weight ? a.weight[t] : T(1), *xi = a.x + i * g.x_pitch();
      const T q = cross_entropy_row(xi, g.k, t, a.saved[2 * i], a.saved[2 * i + 1]);
      sum += (T(1) - T(g.smoothing)) * w * q;
      for (int64_t k = 0; k < g.k && g.smoothing > 0; ++k)
        sum += T(g.spread()) * (a.weight ? a.weight[k] : T(1)) * (q + (xi[t] - xi[k]));
      total += w;
    }
    a.saved[2 * g.rows] = total;
    *a.loss = real_part(total) == 0 ? T(0) : sum / total;
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    const T total = a.saved[2 * g.rows], kept = T(1) - T(g.smoothing);
    T all = 0;
    for (int64_t k = 0; k < g.k; ++k) all += a.weight ? a.weight[k] : T(1);
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t k = 0; k < g.k; ++k) {
        const int32_t t = a.target[i];
        T& to = a.dx[i * g.dx_pitch() + k];
        to = T(0);
        if (t == kIgnore || real_part(total) == 0) continue;
        const T p = std::exp(a.x[i * g.x_pitch() + k] - a.saved[2 * i]) / a.saved[2 * i + 1],
                w = a.weight ? a.weight[t] : T(1), wk = a.weight ? a.weight[k] : T(1);
        to = *a.dy / total * (kept * w * (p - T(k == t ? 1 : 0)) + T(g.spread()) * (p * all - wk));
      }
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.k); }
  static const Registry<Implementation<CrossEntropy>>& registry();
  static Implementation<CrossEntropy> cuda();  // cross_entropy.cu
};

// What one instruction set brings to its row (cross_entropy_simd.cpp): rows [begin, end), whose targets are sound.
struct CrossEntropyPart {
  double loss, weight;
};
struct CrossEntropySteps {
  void (*forward)(const CrossEntropySpec&, const float* x, const int32_t* target, const float* weight, float* saved,
                  int64_t begin, int64_t end, CrossEntropyPart& part);
  // scale = dL/W, all = e/K sum_k w[k]
  void (*backward)(const CrossEntropySpec&, float scale, float all, const float* x, const int32_t* target,
                   const float* weight, const float* saved, float* dx, int64_t begin, int64_t end);
};
template <Isa isa>
CrossEntropySteps cross_entropy_steps();

}  // namespace kern::kernels
