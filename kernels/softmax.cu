#include "kernels/common/class_rows.cuh"
#include "kernels/softmax.h"

namespace kern::kernels {
namespace {

// Reads 4 bytes a value (backward 8) and writes 4; two exponentials and a few operations a value: bound by memory.
struct Forward {
  static constexpr int kIn = 1, kSums = 0;
  static constexpr bool kOut = true;
  template <class Row>
  __device__ void at(const Row& row, int64_t, Sums<0>&) const {
    const float m = row.template fold<Greater>([&](int j) { return row.in(j); });
    const float sum = row.template fold<Plus>([&](int j) { return expf(row.in(j)-m); });
    const float scale = 1 / sum;
    row.for_each([&](int j) { row.out(j) = expf(row.in(j)-m) * scale; });
  }
};
struct Backward {
  static constexpr int kIn = 2, kSums = 0;
  static constexpr bool kOut = true;
  template <class Row>
  __device__ void at(const Row& row, int64_t, Sums<0>&) const {  // in: dy, in2: y
    const float dot = row.template fold<Plus>([&](int j) { return row.in2(j) * row.in(j); });
    row.for_each([&](int j) { row.out(j) = row.in2(j) * (row.in(j)-dot); });
  }
};

}  // namespace

SoftmaxRow softmax_cuda_row() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const SoftmaxSpec& g, const float* x, float* y) {
                for_each_class_row("softmax_forward", exec, g.rows, g.c,
                                   {.in = {{x, g.x_pitch()}}, .out = y, .out_pitch = g.y_pitch()}, Forward{});
              },
          .backward =
              [](const Exec& exec, const SoftmaxSpec& g, const float* dy, const float* y, float* dx) {
                for_each_class_row("softmax_backward", exec, g.rows, g.c,
                                   {.in = {{dy, g.dy_pitch()}, {y, g.y_pitch()}}, .out = dx, .out_pitch = g.dx_pitch()},
                                   Backward{});
              }};
}

}  // namespace kern::kernels
