// Element-wise ops of one input on the GPU: one value is read (forward) or two (backward) for each that is written.
// Bound by memory.
#include "kernels/common/elementwise.cuh"
#include "kernels/elementwise/unary_ops.h"

namespace kern::kernels {
namespace {

template <class Op, class T>
struct UnaryForward {
  Op op;
  const T* x;
  int64_t x_pitch;
  T* y;
  int64_t y_pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    Pack<W> v = load<W>(x + row * x_pitch + column);
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = op.forward(v.v[i]);
    store(y + row * y_pitch + column, v);
  }
};
template <class Op, class T>
struct UnaryBackward {
  Op op;
  const T* dy;
  int64_t dy_pitch;
  const T* saved;
  int64_t saved_pitch;
  T* dx;
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

}  // namespace

template <class Op, class T>
UnaryImpl<Op, T> unary_cuda_impl() {
  return {.name = std::is_same_v<T, float> ? "cuda" : "cuda_bf16",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const UnarySpec<Op>& g, const T* x, T* y) {
                for_each_value("unary forward", exec, g.rows, g.c, {{x, g.x_pitch()}, {y, g.y_pitch()}},
                               UnaryForward<Op, T>{g.op, x, g.x_pitch(), y, g.y_pitch()});
              },
          .backward =
              [](const Exec& exec, const UnarySpec<Op>& g, const T* dy, const T* saved, T* dx) {
                for_each_value("unary backward", exec, g.rows, g.c,
                               {{dy, g.dy_pitch()}, {saved, g.saved_pitch()}, {dx, g.dx_pitch()}},
                               UnaryBackward<Op, T>{g.op, dy, g.dy_pitch(), saved, g.saved_pitch(), dx, g.dx_pitch()});
              }};
}
#define KERN_INSTANTIATE(Op)                           \
  template UnaryImpl<Op> unary_cuda_impl<Op, float>(); \
  template UnaryImpl<Op, Bf16> unary_cuda_impl<Op, Bf16>();
KERN_UNARY_OPS(KERN_INSTANTIATE)
#undef KERN_INSTANTIATE

}  // namespace kern::kernels
