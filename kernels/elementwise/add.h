// add: y[i,c] = a[i,c] + b[i,c], or a[i,c] + b[c] for a vector b.
// Backward: da = dy; db = dy, or for a vector db[c] = sum_i dy[i,c]. Only that sum is a kernel; the rest is dy itself.
#pragma once
#include "kernels/common/bf16.h"
#include "kernels/elementwise/binary.h"

namespace kern::kernels {

template <Scalar T>
void add_forward_reference(const BinarySpec& g, const T* a, const T* b, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = a[i * g.a_pitch() + c] + b[i * g.b_step() + c];
}
template <Scalar T>
void add_backward_vector_reference(const BinarySpec& g, const T* dy, T* db) {
  for (int64_t c = 0; c < g.c; ++c) {
    T sum = 0;
    for (int64_t i = 0; i < g.rows; ++i) sum += dy[i * g.dy_pitch() + c];
    db[c] = sum;
  }
}

// T: what a, b and y are in memory, float or Bf16.
template <class T>
struct AddImplOf {
  const char* name;
  Device device;
  bool (*supports)(const BinarySpec&);
  size_t (*workspace)(const BinarySpec&);  // of backward_vector
  void (*forward)(const Exec&, const BinarySpec&, const T* a, const T* b, T* y);
  // Null for Bf16: a vector is a parameter, and those are float.
  void (*backward_vector)(const Exec&, const BinarySpec&, const float* dy, float* db);
};
using AddImpl = AddImplOf<float>;
template <class T = float>
const Registry<AddImplOf<T>>& add_registry();
template <class T>
AddImplOf<T> add_cuda_impl();  // add.cu

}  // namespace kern::kernels
