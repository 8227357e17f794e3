// Element-wise ops of two inputs with broadcasting on the GPU: a thread computes a value of y, or four neighbours, and
// finds where its inputs lie by division. Bound by memory where the inputs are as large as y.
#include "kernels/common/elementwise.cuh"
#include "kernels/elementwise/broadcast_ops.h"

namespace kern::kernels {
namespace {

template <class Op, class Index>
struct Forward {
  BroadcastSpec g;
  const float *a, *b;
  float* y;
  template <int W>
  __device__ void at(int64_t, int64_t column) const {
    Pack<W> v;
#pragma unroll
    for (int i = 0; i < W; ++i) {
      const auto from = offsets_of(Index(column + i), g.sizes, g.strides());
      v.v[i] = Op::forward(a[from[0]], b[from[1]]);
    }
    store(y + column, v);
  }
};
template <class Op, bool first, class Index>
struct Backward {
  BroadcastSpec g;
  const float *dy, *a, *b;
  float* d;
  template <int W>
  __device__ void at(int64_t, int64_t column) const {
    Pack<W> v = load<W>(dy + column);
#pragma unroll
    for (int i = 0; i < W; ++i) {
      const auto from = offsets_of(Index(column + i), g.sizes, g.strides());
      const float u = a[from[0]], w = b[from[1]];
      v.v[i] *= first ? Op::derivative_a(u, w) : Op::derivative_b(u, w);
    }
    store(d + column, v);
  }
};

template <class Op, bool first>
void backward(const Exec& exec, const BroadcastSpec& g, const float* dy, const float* a, const float* b, float* d) {
  const int64_t n = g.size();
  const std::initializer_list<RowsOf> arrays{{dy, n}, {d, n}};
  if (n < (int64_t{1} << 31))
    for_each_value("broadcast backward", exec, 1, n, arrays, Backward<Op, first, uint32_t>{g, dy, a, b, d});
  else for_each_value("broadcast backward", exec, 1, n, arrays, Backward<Op, first, int64_t>{g, dy, a, b, d});
}

}  // namespace

template <class Op>
BroadcastImpl<Op> broadcast_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const BroadcastSpec& g, const float* a, const float* b, float* y) {
                const int64_t n = g.size();
                if (n < (int64_t{1} << 31))
                  for_each_value("broadcast forward", exec, 1, n, {{y, n}}, Forward<Op, uint32_t>{g, a, b, y});
                else for_each_value("broadcast forward", exec, 1, n, {{y, n}}, Forward<Op, int64_t>{g, a, b, y});
              },
          .backward_a = backward<Op, true>,
          .backward_b = backward<Op, false>};
}

#define KERN_INSTANTIATE(Op) template BroadcastImpl<Op> broadcast_cuda_impl<Op>();
KERN_BROADCAST_OPS(KERN_INSTANTIATE)
#undef KERN_INSTANTIATE

}  // namespace kern::kernels
