// Element-wise ops of two inputs that are broadcast to a common shape. An op is a struct of formulas, templated on the
// scalar (broadcast_ops.h has them all):
//
//   struct Sub {
//     static constexpr const char* kName = "sub";
//     template <Scalar T> static constexpr T forward(T a, T b);           // y = f(a, b)
//     template <Scalar T> static constexpr T derivative_a(T a, T b);      // dy/da
//     template <Scalar T> static constexpr T derivative_b(T a, T b);      // dy/db
//   };
//
// Backward writes dy times a derivative in y's shape; where the input was repeated, what is repeated is summed after it
// (sum_axis).
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"
#include "kernels/common/strided.h"

namespace kern::kernels {

// y, dy and what backward gives are dense.
struct BroadcastSpec {
  Dims sizes{1, 1, 1, 1, 1, 0};  // of y
  Dims a{}, b{};                 // strides
  constexpr int64_t size() const { return size_of(sizes); }
  constexpr std::array<Dims, 2> strides() const { return {a, b}; }
  bool operator==(const BroadcastSpec&) const = default;
};

template <class Op, Scalar T>
void broadcast_forward_reference(const BroadcastSpec& g, const T* a, const T* b, T* y) {
  for (int64_t i = 0; i < g.size(); ++i) {
    const auto at = offsets_of(i, g.sizes, g.strides());
    y[i] = Op::forward(a[at[0]], b[at[1]]);
  }
}
// To a where `first`, else to b.
template <class Op, Scalar T>
void broadcast_backward_reference(const BroadcastSpec& g, bool first, const T* dy, const T* a, const T* b, T* d) {
  for (int64_t i = 0; i < g.size(); ++i) {
    const auto at = offsets_of(i, g.sizes, g.strides());
    const T u = a[at[0]], v = b[at[1]];
    d[i] = dy[i] * (first ? Op::derivative_a(u, v) : Op::derivative_b(u, v));
  }
}

template <class Op>
struct BroadcastImpl {
  const char* name;
  Device device;
  bool (*supports)(const BroadcastSpec&);
  void (*forward)(const Exec&, const BroadcastSpec&, const float* a, const float* b, float* y);
  void (*backward_a)(const Exec&, const BroadcastSpec&, const float* dy, const float* a, const float* b, float* da);
  void (*backward_b)(const Exec&, const BroadcastSpec&, const float* dy, const float* a, const float* b, float* db);
};

// In order of preference. For the ops of broadcast_ops.h.
template <class Op>
const Registry<BroadcastImpl<Op>>& broadcast_registry();
template <class Op>
BroadcastImpl<Op> broadcast_cuda_impl();  // broadcast_ops.cu

}  // namespace kern::kernels
