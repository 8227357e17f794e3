// linear: y[i,k] = b[k] + sum_c w[k,c] x[i,c].
// Backward, for a loss with dy = dL/dy:
//   dx[i,c] = sum_k w[k,c] dy[i,k],  dw[k,c] = sum_i dy[i,k] x[i,c],  db[k] = sum_i dy[i,k]
// Layouts: x, dx [rows, C]; w, dw [K, C]; b, db [K]; y, dy [rows, K].
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/isa.h"
#include "kernels/common/layout.h"
#include "kernels/common/limits.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct LinearSpec {
  int64_t rows = 0, c = 1, k = 1;
  Pitches pitch;
  constexpr int64_t w_size() const { return k * c; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, k); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, k); }
  constexpr int64_t macs() const { return rows * k * c; }  // multiply-adds of one direction
  bool operator==(const LinearSpec&) const = default;
};

// b may be null.
template <Scalar T>
void linear_forward_reference(const LinearSpec& g, const T* x, const T* w, const T* b, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t k = 0; k < g.k; ++k) {
      T sum(0);
      for (int64_t c = 0; c < g.c; ++c) sum += w[k * g.c + c] * x[i * g.x_pitch() + c];
      y[i * g.y_pitch() + k] = b ? sum + b[k] : sum;
    }
}
template <Scalar T>
void linear_backward_data_reference(const LinearSpec& g, const T* dy, const T* w, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      T sum(0);
      for (int64_t k = 0; k < g.k; ++k) sum += w[k * g.c + c] * dy[i * g.dy_pitch() + k];
      dx[i * g.dx_pitch() + c] = sum;
    }
}
template <Scalar T>
void linear_backward_weight_reference(const LinearSpec& g, const T* dy, const T* x, T* dw) {
  for (int64_t k = 0; k < g.k; ++k)
    for (int64_t c = 0; c < g.c; ++c) {
      T sum(0);
      for (int64_t i = 0; i < g.rows; ++i) sum += dy[i * g.dy_pitch() + k] * x[i * g.x_pitch() + c];
      dw[k * g.c + c] = sum;
    }
}
template <Scalar T>
void linear_backward_bias_reference(const LinearSpec& g, const T* dy, T* db) {
  for (int64_t k = 0; k < g.k; ++k) {
    db[k] = T(0);
    for (int64_t i = 0; i < g.rows; ++i) db[k] += dy[i * g.dy_pitch() + k];
  }
}

// How an implementation runs forward with weights and bias brought into the form that it reads beforehand, as prediction
// has them: for any number of rows. May be missing: then run is null.
struct PreparedLinear {
  size_t (*bytes)(const LinearSpec&) = nullptr;
  void (*prepare)(const LinearSpec&, const float* w, const float* b, void* prepared) = nullptr;
  void (*run)(const LinearSpec&, const float* x, const void* prepared, Limits, float* y) = nullptr;
};
namespace detail {
template <>
inline void empty_entry(PreparedLinear& p) {  // of a meta twin (kernels/common/meta.h)
  empty_entry(p.prepare), empty_entry(p.run);
}
}  // namespace detail

struct LinearImpl {
  const char* name;
  Device device;
  bool (*supports)(const LinearSpec&);
  size_t (*workspace)(const LinearSpec&);  // bytes of scratch that any one entry may need
  void (*forward)(const Exec&, const LinearSpec&, const float* x, const float* w, const float* b, float* y);
  void (*backward_data)(const Exec&, const LinearSpec&, const float* dy, const float* w, float* dx);
  void (*backward_weight)(const Exec&, const LinearSpec&, const float* dy, const float* x, float* dw);
  void (*backward_bias)(const Exec&, const LinearSpec&, const float* dy, float* db);
  PreparedLinear prepared = {};
};
const Registry<LinearImpl>& linear_registry();
LinearImpl linear_cuda_impl();      // of the table, by itself
LinearImpl linear_cublaslt_impl();  // linear_cublaslt.cpp

// The three products of an instruction set's row (linear_simd.cpp).
struct LinearProducts {
  size_t (*workspace)(const LinearSpec&);
  void (*forward)(const Exec&, const LinearSpec&, const float* x, const float* w, const float* b, float* y);
  void (*backward_data)(const Exec&, const LinearSpec&, const float* dy, const float* w, float* dx);
  void (*backward_weight)(const Exec&, const LinearSpec&, const float* dy, const float* x, float* dw);
  PreparedLinear prepared;
};
template <Isa isa>
LinearProducts linear_products();

}  // namespace kern::kernels
