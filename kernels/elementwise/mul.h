// mul: y[i,c] = a[i,c] * b[i,c], or a[i,c] * b[c] for a vector b.
// Backward: da = dy b; db = dy a, or for a vector db[c] = sum_i dy[i,c] a[i,c]. Products are forward itself; only that
// sum is a kernel of its own.
#pragma once
#include "kernels/elementwise/binary.h"

namespace kern::kernels {

template <Scalar T>
void mul_forward_reference(const BinarySpec& g, const T* a, const T* b, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = a[i * g.a_pitch() + c] * b[i * g.b_step() + c];
}
template <Scalar T>
void mul_backward_vector_reference(const BinarySpec& g, const T* dy, const T* a, T* db) {
  for (int64_t c = 0; c < g.c; ++c) {
    T sum = 0;
    for (int64_t i = 0; i < g.rows; ++i) sum += dy[i * g.dy_pitch() + c] * a[i * g.a_pitch() + c];
    db[c] = sum;
  }
}

struct MulImpl {
  const char* name;
  Device device;
  bool (*supports)(const BinarySpec&);
  size_t (*workspace)(const BinarySpec&);  // of backward_vector
  void (*forward)(const Exec&, const BinarySpec&, const float* a, const float* b, float* y);
  void (*backward_vector)(const Exec&, const BinarySpec&, const float* dy, const float* a, float* db);
};
const Registry<MulImpl>& mul_registry();
MulImpl mul_cuda_impl();  // mul.cu

}  // namespace kern::kernels
