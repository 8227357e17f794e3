// log_softmax over channels: y[i,c] = x[i,c] - m[i] - log sum_k exp(x[i,k] - m[i]),  m[i] = max_k x[i,k].
// Backward: dx[i,c] = dy[i,c] - exp(y[i,c]) sum_k dy[i,k]
// Layouts: x, y, dx, dy [rows, C].
#pragma once
#include "kernels/softmax/softmax.h"

namespace kern::kernels {

struct LogSoftmax {
  static constexpr const char* kName = "log_softmax";
  using Spec = SoftmaxSpec;
  template <class T>
  using Forward = Softmax::Forward<T>;
  template <class T>
  using Backward = Softmax::Backward<T>;
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    for (int64_t i = 0; i < g.rows && g.c > 0; ++i) {
      const T* from = a.x + i * g.x_pitch();
      const T m = row_maximum(from, g.c);
      T sum(0);
      for (int64_t c = 0; c < g.c; ++c) sum += std::exp(from[c] - m);
      const T log_sum = std::log(sum);
      for (int64_t c = 0; c < g.c; ++c) a.y[i * g.y_pitch() + c] = from[c] - m - log_sum;
    }
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.rows; ++i) {
      const T *y = a.y + i * g.y_pitch(), *dy = a.dy + i * g.dy_pitch();
      T sum(0);
      for (int64_t c = 0; c < g.c; ++c) sum += dy[c];
      for (int64_t c = 0; c < g.c; ++c) a.dx[i * g.dx_pitch() + c] = dy[c] - std::exp(y[c]) * sum;
    }
  }
  static std::string shape(const Spec& g) { return Softmax::shape(g); }
  static const Registry<Implementation<LogSoftmax>>& registry();
  template <Isa isa>
  static Implementation<LogSoftmax> simd();  // softmax_simd.cpp
  static Implementation<LogSoftmax> cuda();  // log_softmax.cu
};

}  // namespace kern::kernels
