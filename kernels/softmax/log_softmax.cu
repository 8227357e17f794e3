#include "kernels/softmax/log_softmax.h"
#include "kernels/softmax/softmax.cuh"

namespace kern::kernels {
namespace {

// Reads 4 bytes a value (backward 8) and writes 4; one exponential a value: bound by memory.
struct Forward {
  static constexpr int kIn = 1, kSums = 0;
  static constexpr bool kOut = true;
  template <class Row>
  __device__ void at(const Row& row, int64_t, Sums<0>&) const {
    const float m = row.template fold<Greater>([&](int j) { return row.in(j); });
    const float log_sum = logf(row.template fold<Plus>([&](int j) { return expf(row.in(j)-m); }));
    row.for_each([&](int j) { row.out(j) = row.in(j)-m - log_sum; });
  }
};
struct Backward {
  static constexpr int kIn = 2, kSums = 0;
  static constexpr bool kOut = true;
  template <class Row>
  __device__ void at(const Row& row, int64_t, Sums<0>&) const {  // in: dy, in2: y
    const float sum = row.template fold<Plus>([&](int j) { return row.in(j); });
    row.for_each([&](int j) { row.out(j) = row.in(j)-expf(row.in2(j)) * sum; });
  }
};

}  // namespace

Implementation<LogSoftmax> LogSoftmax::cuda() {
  return over_class_rows<LogSoftmax, kernels::Forward, kernels::Backward>();
}

}  // namespace kern::kernels
