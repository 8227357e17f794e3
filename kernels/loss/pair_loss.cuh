// The CUDA implementation of a loss that compares value by value (kernels/loss/pair_loss.h). l1.cu holds one line:
//   template Implementation<PairLoss<L1>> PairLoss<L1>::cuda();
// Forward: each block of the first kernel sums the values of its chunk, a second kernel of one block adds those sums
// in double; the order is the problem's alone. Reads 8 bytes a value (12 with the gradient's write): bound by memory.
#pragma once
#include "kernels/common/sum.cuh"
#include "kernels/loss/pair_loss.h"

namespace kern::kernels {

template <class Op>
struct PairLossValue {  // f(x - t) at flat index i
  PairLossSpec<Op> g;
  const float *x, *t;
  __device__ float operator()(int64_t row, int64_t column) const {
    return g.op.value(x[row * g.x_pitch() + column] - t[row * g.t_pitch() + column]);
  }
};
template <class Op>
struct PairLossBackward {
  PairLossSpec<Op> g;
  const float *dy, *x, *t;
  float* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    const float scale = *dy / float(g.size());
    Pack<W> v = load<W>(x + row * g.x_pitch() + column);
    const Pack<W> u = load<W>(t + row * g.t_pitch() + column);
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = scale * g.op.derivative(v.v[i] - u.v[i]);
    store(dx + row * g.dx_pitch() + column, v);
  }
};

template <class Op>
Implementation<PairLoss<Op>> PairLoss<Op>::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const Spec& g) { return device_sum_workspace(g.size()); },
          .forward =
              [](const Exec& exec, const Spec& g, const Forward<float>& a) {
                device_sum("pair loss forward", exec, g.rows, g.c, g.x_pitch() == g.c && g.t_pitch() == g.c,
                           PairLossValue<Op>{g, a.x, a.t}, a.loss, 1.0 / double(g.size()));
              },
          .backward =
              [](const Exec& exec, const Spec& g, const Backward<float>& a) {
                for_each_value("pair loss backward", exec, g.rows, g.c,
                               {{a.x, g.x_pitch()}, {a.t, g.t_pitch()}, {a.dx, g.dx_pitch()}},
                               PairLossBackward<Op>{g, a.dy, a.x, a.t, a.dx});
              }};
}

}  // namespace kern::kernels
