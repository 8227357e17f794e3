// One row of cross_entropy (kernels/loss/cross_entropy.h) on a GPU, over a Row of kernels/common/class_rows.cuh: what the
// op and the head that keeps no logits share.
#pragma once
#include "kernels/common/class_rows.cuh"
#include "kernels/loss/cross_entropy.h"

namespace kern::kernels {

struct CrossEntropyNumbers {  // m and s
  float max, sum;
};
// The row's part of the sum, before it is divided by W.
template <class Row>
__device__ __forceinline__ float cross_entropy_row_loss(const CrossEntropySpec& g, const Row& row, int32_t t,
                                                        const float* weight, CrossEntropyNumbers& numbers) {
  const float m = row.template fold<Greater>([&](int j) { return row.in(j); });
  const float s = row.template fold<Plus>([&](int j) { return expf(row.in(j)-m); });
  const float log_s = logf(s);
  float loss = (1 - g.smoothing) * (weight ? weight[t] : 1) * (log_s + (m - row.in(t)));
  if (g.smoothing > 0)
    loss += float(g.spread()) *
            row.template fold<Plus>([&](int j) { return (weight ? weight[j] : 1) * (log_s + (m - row.in(j))); });
  numbers = {m, s};
  return loss;
}
// out = dx, with scale = dL/W.
template <class Row>
__device__ __forceinline__ void cross_entropy_row_gradient(const CrossEntropySpec& g, const Row& row, int32_t t,
                                                           const float* weight, CrossEntropyNumbers numbers,
                                                           float scale) {
  const float kept = (1 - g.smoothing) * (weight ? weight[t] : 1);
  float spread = 0, all = 0;  // e/K, and that times the sum of the weights
  if (g.smoothing > 0) {
    spread = float(g.spread());
    all = spread * (weight ? row.template fold<Plus>([&](int j) { return weight[j]; }) : float(g.k));
  }
  const float share = (kept + all) / numbers.sum;
  row.for_each([&](int j) {
    const float spread_j = spread * (weight ? weight[j] : 1);
    row.out(j) = scale * (share * expf(row.in(j)-numbers.max) - spread_j - (j == t ? kept : 0));
  });
}

}  // namespace kern::kernels
