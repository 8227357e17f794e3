// y = f(a, b) of element-wise ops of two inputs on the GPU: 12 bytes a value, 8 where b is a vector (it stays in the
// L1 cache). Bound by memory.
#pragma once
#include "kernels/common/elementwise.cuh"
#include "kernels/elementwise/binary.h"

namespace kern::kernels {

template <class Formula, class T>
struct BinaryForward {
  BinarySpec g;
  const T *a, *b;
  T* y;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    Pack<W> v = load<W>(a + row * g.a_pitch() + column);
    const Pack<W> u = load<W>(b + row * g.b_step() + column);
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = Formula::of(v.v[i], u.v[i]);
    store(y + row * g.y_pitch() + column, v);
  }
};
template <class Formula, class T>
void binary_forward(std::string_view name, const Exec& exec, const BinarySpec& g, const T* a, const T* b, T* y,
                    SourceLocation at = SourceLocation::current()) {
  const RowsOf rows_of_b{b, g.vector ? g.c : g.b_step()};
  for_each_value(name, exec, g.rows, g.c, {{a, g.a_pitch()}, rows_of_b, {y, g.y_pitch()}},
                 BinaryForward<Formula, T>{g, a, b, y}, !g.vector, at);
}

}  // namespace kern::kernels
