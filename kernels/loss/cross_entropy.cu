#include "kernels/loss/cross_entropy.cuh"
#include "kernels/loss/cross_entropy.h"

namespace kern::kernels {
namespace {

// Reads 4 bytes a value and 4 of the target, backward writes 4 a value and reads 8 more a row: bound by memory.
struct Forward {
  static constexpr int kIn = 1, kSums = 2;
  static constexpr bool kOut = false;
  CrossEntropySpec g;
  const int32_t* target;
  const float* weight;
  float* saved;

  template <class Row>
  __device__ void at(const Row& row, int64_t i, Sums<2>& sums) const {
    const int32_t t = target[i];
    if (!takes_part(t, g.k)) return;
    CrossEntropyNumbers numbers;
    const float loss = cross_entropy_row_loss(g, row, t, weight, numbers);
    if (!row.leads()) return;
    saved[2 * i] = numbers.max, saved[2 * i + 1] = numbers.sum;
    sums.v[0] += double(loss), sums.v[1] += double(weight ? weight[t] : 1);
  }
};
struct Backward {
  static constexpr int kIn = 1, kSums = 0;
  static constexpr bool kOut = true;
  CrossEntropySpec g;
  const float* dy;
  const int32_t* target;
  const float *weight, *saved;

  template <class Row>
  __device__ void at(const Row& row, int64_t i, Sums<0>&) const {
    const int32_t t = target[i];
    const float total = saved[2 * g.rows];
    if (!takes_part(t, g.k) || total == 0) return row.for_each([&](int j) { row.out(j) = 0; });
    cross_entropy_row_gradient(g, row, t, weight, {saved[2 * i], saved[2 * i + 1]}, *dy / total);
  }
};

}  // namespace

Implementation<CrossEntropy> CrossEntropy::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const Spec& g) { return row_sums_workspace(g.rows, g.k, 2); },
          .forward =
              [](const Exec& exec, const Spec& g, const CrossEntropy::Forward<float>& a) {
                sum_class_rows("cross_entropy_forward", exec, g.rows, g.k, {.in = {{a.x, g.x_pitch()}}},
                               kernels::Forward{g, a.target, a.weight, a.saved},
                               MeanOfSums{a.loss, a.saved + 2 * g.rows});
              },
          .backward =
              [](const Exec& exec, const Spec& g, const CrossEntropy::Backward<float>& a) {
                for_each_class_row("cross_entropy_backward", exec, g.rows, g.k,
                                   {.in = {{a.x, g.x_pitch()}}, .out = a.dx, .out_pitch = g.dx_pitch()},
                                   kernels::Backward{g, a.dy, a.target, a.weight, a.saved});
              }};
}

}  // namespace kern::kernels
