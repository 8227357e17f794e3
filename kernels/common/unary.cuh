// The CUDA row of an element-wise op of one input (kernels/common/unary.h). relu.cu holds one line:
//   template UnaryRow<Relu> unary_cuda_row<Relu>();
// Reads 4 (forward) or 8 (backward) bytes a value and writes 4: bound by memory.
#pragma once
#include "kernels/common/elementwise.cuh"
#include "kernels/common/unary.h"

namespace kern::kernels {

template <class Op>
struct UnaryForward {
  Op op;
  const float* x;
  int64_t x_pitch;
  float* y;
  int64_t y_pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    Pack<W> v = load<W>(x + row * x_pitch + column);
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = op.forward(v.v[i]);
    store(y + row * y_pitch + column, v);
  }
};
template <class Op>
struct UnaryBackward {
  Op op;
  const float* dy;
  int64_t dy_pitch;
  const float* saved;
  int64_t saved_pitch;
  float* dx;
  int64_t dx_pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    Pack<W> d = load<W>(dy + row * dy_pitch + column);
    const Pack<W> s = load<W>(saved + row * saved_pitch + column);
#pragma unroll
    for (int i = 0; i < W; ++i) d.v[i] *= op.derivative(s.v[i]);
    store(dx + row * dx_pitch + column, d);
  }
};

template <class Op>
UnaryRow<Op> unary_cuda_row() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const UnarySpec<Op>& g, const float* x, float* y) {
                for_each_value("unary forward", exec, g.rows, g.c, {{x, g.x_pitch()}, {y, g.y_pitch()}},
                               UnaryForward<Op>{g.op, x, g.x_pitch(), y, g.y_pitch()});
              },
          .backward =
              [](const Exec& exec, const UnarySpec<Op>& g, const float* dy, const float* saved, float* dx) {
                for_each_value("unary backward", exec, g.rows, g.c,
                               {{dy, g.dy_pitch()}, {saved, g.saved_pitch()}, {dx, g.dx_pitch()}},
                               UnaryBackward<Op>{g.op, dy, g.dy_pitch(), saved, g.saved_pitch(), dx, g.dx_pitch()});
              }};
}

}  // namespace kern::kernels
