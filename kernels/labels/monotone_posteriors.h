// monotone_posteriors: the probability that a position of a signal has class c, when the labelling is known never to go
// back along it: the sum over the labellings whose class index never goes down and that have c here, of the product of
// their probabilities, over the sum of all of them (Rabiner 1989). It begins and ends with any class, as a window out
// of a well does. In logarithms l[i,c] = log max(p[i,c], 1e-30), over the positions that take part, one after another:
//   down[i,c] = l[i,c] + log sum_{b <= c} exp down[i-1,b]      all labellings from the top that have c at i
//   up[i,c]   = log sum_{b >= c} exp (up[i+1,b] + l[i+1,b])    what may follow it to the bottom
//   q[i,c]    = exp(down[i,c] + up[i,c] - log sum_b exp down[last,b])
// Positions where present is negative keep their p. O(L C) a signal. Nothing here has a gradient.
// Layouts: p, q [N,L,C]; present [N,L] or null (all); scratch f64 [N, L + 1, C].
#pragma once
#include <cmath>

#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct MonotonePosteriorsSpec {
  int64_t n = 0, l = 0, c = 1;
  constexpr size_t scratch_size() const { return size_t(n) * size_t(l + 1) * size_t(c); }
  bool operator==(const MonotonePosteriorsSpec&) const = default;
};

// log(exp a + exp b)
template <std::floating_point T>
constexpr T add_logarithms(T a, T b) {
  if (a < b) return b + std::log1p(std::exp(a - b));
  return b == T(-INFINITY) ? a : a + std::log1p(std::exp(b - a));
}

// One signal; down [L,C], up [C].
template <std::floating_point T>
constexpr void posteriors_of_signal(const MonotonePosteriorsSpec& g, const float* p, const int32_t* present, float* q,
                                    T* down, T* up) {
  const auto takes_part = [=](int64_t i) { return !present || present[i] >= 0; };
  const auto logarithm = [=](int64_t at) { return std::log(T(p[at]) < T(1e-30) ? T(1e-30) : T(p[at])); };
  int64_t last = -1;
  for (int64_t i = 0; i < g.l; ++i) {
    if (!takes_part(i)) continue;
    T before = -INFINITY;  // up to class c at the position before
    for (int64_t c = 0; c < g.c; ++c) {
      before = last >= 0 ? add_logarithms(before, down[last * g.c + c]) : T(0);
      down[i * g.c + c] = before + logarithm(i * g.c + c);
    }
    last = i;
  }
  T all = -INFINITY;
  for (int64_t c = 0; c < g.c; ++c) {
    up[c] = 0;
    if (last >= 0) all = add_logarithms(all, down[last * g.c + c]);
  }
  for (int64_t i = g.l; i-- > 0;) {
    T after = -INFINITY;  // from class c at i on
    for (int64_t c = g.c; c-- > 0;) {
      const int64_t at = i * g.c + c;
      const float own = p[at];
      if (!takes_part(i)) {
        q[at] = own;
        continue;
      }
      const T of_own = logarithm(at);
      q[at] = float(std::exp(down[at] + up[c] - all));
      up[c] = after = add_logarithms(after, up[c] + of_own);
    }
  }
}
// Signal n of a batch; p and q may be one array.
constexpr void posteriors_of_signal(const MonotonePosteriorsSpec& g, int64_t n, const float* p, const int32_t* present,
                                    float* q, double* scratch) {
  const int64_t at = n * g.l * g.c;
  double* down = scratch + n * (g.l + 1) * g.c;
  posteriors_of_signal(g, p + at, present ? present + n * g.l : nullptr, q + at, down, down + g.l * g.c);
}
inline void monotone_posteriors_reference(const MonotonePosteriorsSpec& g, const float* p, const int32_t* present,
                                          float* q, double* scratch) {
  for (int64_t n = 0; n < g.n; ++n) posteriors_of_signal(g, n, p, present, q, scratch);
}

struct MonotonePosteriorsImpl {
  const char* name;
  Device device;
  bool (*supports)(const MonotonePosteriorsSpec&);
  size_t (*workspace)(const MonotonePosteriorsSpec&);
  void (*forward)(const Exec&, const MonotonePosteriorsSpec&, const float* p, const int32_t* present, float* q);
};
const Registry<MonotonePosteriorsImpl>& monotone_posteriors_registry();
MonotonePosteriorsImpl monotone_posteriors_cuda_impl();  // monotone_posteriors.cu

}  // namespace kern::kernels
