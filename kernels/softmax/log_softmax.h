// log_softmax over channels: y[i,c] = x[i,c] - m[i] - log sum_k exp(x[i,k] - m[i]),  m[i] = max_k x[i,k].
// Backward: dx[i,c] = dy[i,c] - exp(y[i,c]) sum_k dy[i,k]
// Layouts: x, y, dx, dy [rows, C].
#pragma once
#include "kernels/softmax/softmax.h"

namespace kern::kernels {

template <Scalar T>
void log_softmax_forward_reference(const SoftmaxSpec& g, const T* x, T* y) {
  for (int64_t i = 0; i < g.rows && g.c > 0; ++i) {
    const T* from = x + i * g.x_pitch();
    const T m = row_maximum(from, g.c);
    T sum(0);
    for (int64_t c = 0; c < g.c; ++c) sum += std::exp(from[c] - m);
    const T log_sum = std::log(sum);
    for (int64_t c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = from[c] - m - log_sum;
  }
}
template <Scalar T>
void log_softmax_backward_reference(const SoftmaxSpec& g, const T* dy, const T* y, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i) {
    T sum(0);
    for (int64_t c = 0; c < g.c; ++c) sum += dy[i * g.dy_pitch() + c];
    for (int64_t c = 0; c < g.c; ++c)
      dx[i * g.dx_pitch() + c] = dy[i * g.dy_pitch() + c] - std::exp(y[i * g.y_pitch() + c]) * sum;
  }
}

using LogSoftmaxImpl = SoftmaxImpl;  // the same arguments: backward looks at y
const Registry<LogSoftmaxImpl>& log_softmax_registry();
LogSoftmaxImpl log_softmax_cuda_impl();  // log_softmax.cu
template <Isa isa>
LogSoftmaxImpl log_softmax_simd_impl();  // softmax_simd.cpp

}  // namespace kern::kernels
