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
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/simd.h"
#include "kernels/common/targets.h"

namespace kern::kernels {

struct CrossEntropySpec {
  int64_t rows = 0, k = 1;
  float smoothing = 0;  // 0 .. 1
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, k); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, k); }
  constexpr double spread() const { return double(smoothing) / double(k); }  // e/K
  constexpr int64_t saved_size() const { return 2 * rows + 1; }
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

template <Scalar T>
void cross_entropy_forward_reference(const CrossEntropySpec& g, const T* x, const int32_t* target, const T* weight,
                                     T* loss, T* saved) {
  T total = 0, sum = 0;
  for (int64_t i = 0; i < g.rows; ++i) {
    const int32_t t = target[i];
    if (t == kIgnore) continue;
    if (t < 0 || t >= g.k) throw_bad_target("cross_entropy", g.k, i, t);
    const T w = weight ? weight[t] : T(1), *xi = x + i * g.x_pitch();
    const T q = cross_entropy_row(xi, g.k, t, saved[2 * i], saved[2 * i + 1]);
    sum += (T(1) - T(g.smoothing)) * w * q;
    for (int64_t k = 0; k < g.k && g.smoothing > 0; ++k)
      sum += T(g.spread()) * (weight ? weight[k] : T(1)) * (q + (xi[t] - xi[k]));
    total += w;
  }
  saved[2 * g.rows] = total;
  *loss = real_part(total) == 0 ? T(0) : sum / total;
}
template <Scalar T>
void cross_entropy_backward_reference(const CrossEntropySpec& g, const T* dy, const T* x, const int32_t* target,
                                      const T* weight, const T* saved, T* dx) {
  const T total = saved[2 * g.rows], kept = T(1) - T(g.smoothing);
  T all = 0;
  for (int64_t k = 0; k < g.k; ++k) all += weight ? weight[k] : T(1);
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t k = 0; k < g.k; ++k) {
      const int32_t t = target[i];
      T& to = dx[i * g.dx_pitch() + k];
      to = T(0);
      if (t == kIgnore || real_part(total) == 0) continue;
      const T p = std::exp(x[i * g.x_pitch() + k] - saved[2 * i]) / saved[2 * i + 1], w = weight ? weight[t] : T(1),
              wk = weight ? weight[k] : T(1);
      to = *dy / total * (kept * w * (p - T(k == t ? 1 : 0)) + T(g.spread()) * (p * all - wk));
    }
}

struct CrossEntropyImpl {
  const char* name;
  Device device;
  bool (*supports)(const CrossEntropySpec&);
  size_t (*workspace)(const CrossEntropySpec&);  // of forward
  void (*forward)(const Exec&, const CrossEntropySpec&, const float* x, const int32_t* target, const float* weight,
                  float* loss, float* saved);
  void (*backward)(const Exec&, const CrossEntropySpec&, const float* dy, const float* x, const int32_t* target,
                   const float* weight, const float* saved, float* dx);
};
CrossEntropyImpl cross_entropy_cuda_impl();  // cross_entropy.cu
const Registry<CrossEntropyImpl>& cross_entropy_registry();

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
