// cross_entropy: the mean over rows of w[t] (log sum_k exp(x[i,k]) - x[i,t]), t = target[i], weighted by the classes:
//   L  = 1/W sum_i w[t_i] (log(s_i) + m_i - x[i,t_i]),  m_i = max_k x[i,k],  s_i = sum_k exp(x[i,k] - m_i),  W = sum_i
//   w[t_i] dx[i,k] = dL/W w[t_i] (exp(x[i,k] - m_i) / s_i - [k = t_i])
// Rows whose target is kIgnore take no part: they add nothing to L and W, and their dx is 0. Where W = 0, L = 0 and dx
// = 0. The mean is torch.nn.functional.cross_entropy's with class weights. Another target outside 0 .. K-1 is an Error.
// Layouts: x, dx [rows,K]; target [rows]; weight [K] or null (all 1); loss [1]; saved [2 rows + 1]: (m_i, s_i) of every
// row, not defined for an ignored one, then W.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

inline constexpr int32_t kIgnore = -1;  // a target that takes no part

struct CrossEntropySpec {
  int64_t rows = 0, k = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, k); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, k); }
  constexpr int64_t saved_size() const { return 2 * rows + 1; }
  bool operator==(const CrossEntropySpec&) const = default;
};

// For a target that is neither a class nor kIgnore.
[[noreturn]] void throw_bad_target(const CrossEntropySpec& g, int64_t row, int32_t target);

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
    if (t < 0 || t >= g.k) throw_bad_target(g, i, t);
    const T w = weight ? weight[t] : T(1);
    sum += w * cross_entropy_row(x + i * g.x_pitch(), g.k, t, saved[2 * i], saved[2 * i + 1]);
    total += w;
  }
  saved[2 * g.rows] = total;
  *loss = real_part(total) == 0 ? T(0) : sum / total;
}
template <Scalar T>
void cross_entropy_backward_reference(const CrossEntropySpec& g, const T* dy, const T* x, const int32_t* target,
                                      const T* weight, const T* saved, T* dx) {
  const T total = saved[2 * g.rows];
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t k = 0; k < g.k; ++k) {
      const int32_t t = target[i];
      const bool counts = t != kIgnore && real_part(total) != 0;
      dx[i * g.dx_pitch() + k] =
          counts ? *dy / total * (weight ? weight[t] : T(1)) *
                       (std::exp(x[i * g.x_pitch() + k] - saved[2 * i]) / saved[2 * i + 1] - T(k == t ? 1 : 0))
                 : T(0);
    }
}

struct CrossEntropyRow {
  const char* name;
  Device device;
  bool (*supports)(const CrossEntropySpec&);
  size_t (*workspace)(const CrossEntropySpec&);  // of forward
  void (*forward)(const Exec&, const CrossEntropySpec&, const float* x, const int32_t* target, const float* weight,
                  float* loss, float* saved);
  void (*backward)(const Exec&, const CrossEntropySpec&, const float* dy, const float* x, const int32_t* target,
                   const float* weight, const float* saved, float* dx);
};
const Table<CrossEntropyRow>& cross_entropy_table();

}  // namespace kern::kernels
