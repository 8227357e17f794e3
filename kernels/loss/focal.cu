#include "kernels/common/class_rows.cuh"
#include "kernels/loss/focal.h"

namespace kern::kernels {
namespace {

// What both directions need of a row.
struct RowTerms {
  float q, l, factor, power;  // 1 - p[t], -log p[t], f[t], q^gamma
  float m, sum;               // of several classes: the maximum, the sum of the exponentials
};
template <class Row>
__device__ RowTerms terms_of_row(const FocalSpec& g, const Row& row, int32_t t, const float* weight) {
  RowTerms r{};
  if (is_binary(g.k)) {
    const float lead = t == 1 ? -row.in(0) : row.in(0), e = expf(-fabsf(lead));  // of the other class
    r.q = (lead < 0 ? e : 1) / (1 + e);
    r.l = (lead < 0 ? 0 : lead) + log1pf(e);
    r.factor = g.binary_factor(t);
  } else {
    r.m = row.template fold<Greater>([&](int j) { return row.in(j); });
    const float others = row.template fold<Plus>([&](int j) { return j == t ? 0 : expf(row.in(j)-r.m); });
    const float behind = r.m - row.in(t);
    r.sum = others + expf(-behind);
    r.q = others / r.sum;
    r.l = behind == 0 ? log1pf(others) : logf(r.sum) + behind;
    r.factor = weight ? weight[t] : 1;
  }
  r.power = g.gamma == 0 ? 1 : r.q == 0 ? 0 : g.gamma == 2 ? r.q * r.q : powf(r.q, g.gamma);
  return r;
}

// Reads 4 bytes a value and 4 of the target, backward writes 4 a value; a few transcendental functions a row beside an
// exponential or two a value: bound by memory.
struct Forward {
  static constexpr int kIn = 1, kSums = 2;
  static constexpr bool kOut = false;
  FocalSpec g;
  const int32_t* target;
  const float* weight;

  template <class Row>
  __device__ void at(const Row& row, int64_t i, Sums<2>& sums) const {
    const int32_t t = target[i];
    if (!takes_part(t, class_count(g.k))) return;
    const RowTerms r = terms_of_row(g, row, t, weight);
    if (row.leads()) sums.v[0] += r.factor * r.power * r.l, sums.v[1] += 1;
  }
};
struct Backward {
  static constexpr int kIn = 1, kSums = 0;
  static constexpr bool kOut = true;
  FocalSpec g;
  const float* dy;
  const int32_t* target;
  const float *weight, *saved;

  template <class Row>
  __device__ void at(const Row& row, int64_t i, Sums<0>&) const {
    const int32_t t = target[i];
    if (!takes_part(t, class_count(g.k))) return row.for_each([&](int j) { row.out(j) = 0; });
    const RowTerms r = terms_of_row(g, row, t, weight);
    const float ratio = r.q == 0 ? 1 : r.l / r.q;
    const float f = *dy / *saved * r.factor * r.power * (g.gamma * (1 - r.q) * ratio + 1);  // of p[k] - [k = t]
    if (is_binary(g.k)) return row.for_each([&](int j) { row.out(j) = t == 1 ? -f * r.q : f * r.q; });
    const float share = f / r.sum;
    row.for_each([&](int j) { row.out(j) = j == t ? -f * r.q : share * expf(row.in(j)-r.m); });
  }
};

}  // namespace

Implementation<Focal> Focal::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const Spec& g) { return row_sums_workspace(g.rows, g.k, 2); },
          .forward =
              [](const Exec& exec, const Spec& g, const Focal::Forward<float>& a) {
                sum_class_rows("focal_forward", exec, g.rows, g.k, {.in = {{a.x, g.x_pitch()}}},
                               kernels::Forward{g, a.target, a.weight}, MeanOfSums{a.loss, a.saved});
              },
          .backward =
              [](const Exec& exec, const Spec& g, const Focal::Backward<float>& a) {
                for_each_class_row("focal_backward", exec, g.rows, g.k,
                                   {.in = {{a.x, g.x_pitch()}}, .out = a.dx, .out_pitch = g.dx_pitch()},
                                   kernels::Backward{g, a.dy, a.target, a.weight, a.saved});
              }};
}

}  // namespace kern::kernels
