// head_cross_entropy: a 1x1 convolution to logits z and their cross entropy, and the gradients, in one pass: logits are
// never stored. Forward:
//   z[i,k] = b[k] + sum_c w[k,c] x[i,c],  L = cross_entropy(z, target) (kernels/loss/cross_entropy.h)
//   prediction[i] = argmax_k z[i,k], the first of equals
//   confusion[t,p] = how many rows have target t and prediction p
// and, since L is one value, at once for dL = 1 with d[i,k] = dL/dz[i,k]:
//   dx[i,c] = sum_k w[k,c] d[i,k],  dw[k,c] = sum_i d[i,k] x[i,c],  db[k] = sum_i d[i,k]
// Backward multiplies these by the dL that has come. Rows whose target is kIgnore count in no sum and in no confusion.
// Another target that is no class is an Error; on a GPU, which cannot throw, its row counts in none either.
// Layouts: x, dx [rows,C]; w, dw [K,C]; b, db [K]; target, prediction [rows]; weight [K]; loss [1]; confusion [K,K].
#pragma once
#include <algorithm>

#include "kernels/common/bf16.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/matmul/linear.h"

namespace kern::kernels {

struct HeadCrossEntropySpec {
  int64_t rows = 0, c = 1, k = 1;
  float smoothing = 0;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t w_size() const { return k * c; }
  // Its parts over n of the rows.
  constexpr LinearSpec linear(int64_t n) const {
    return {.rows = n, .c = c, .k = k, .pitch = {.x = x_pitch(), .dx = dx_pitch()}};
  }
  constexpr CrossEntropySpec cross_entropy(int64_t n) const { return {.rows = n, .k = k, .smoothing = smoothing}; }
  bool operator==(const HeadCrossEntropySpec&) const = default;
};

// X: what x and dx are in memory, T or Bf16.
template <class T, class X = T>
struct HeadInputs {
  const X* x;
  const T *w, *b = nullptr;  // b may be null
  const int32_t* target;
  const T* weight = nullptr;  // of classes, may be null
};
template <class T, class X = T>
struct HeadOutputs {  // all but the loss may be null; confusion needs prediction
  T* loss;
  X* dx = nullptr;
  T *dw = nullptr, *db = nullptr;
  int32_t *prediction = nullptr, *confusion = nullptr;
};

template <class T>
constexpr void head_predictions(int64_t rows, int64_t k, const T* z, int32_t* prediction) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* zi = z + i * k;
    int32_t best = 0;
    for (int64_t j = 1; j < k; ++j)
      if (real_part(zi[j]) > real_part(zi[best])) best = int32_t(j);
    prediction[i] = best;
  }
}
inline void head_confusion(int64_t rows, int64_t k, const int32_t* target, const int32_t* prediction,
                           int32_t* confusion) {
  std::fill_n(confusion, k * k, 0);
  for (int64_t i = 0; i < rows; ++i)
    if (target[i] != kIgnore) ++confusion[target[i] * k + prediction[i]];
}

// scratch: head_cross_entropy_scratch(g) values.
constexpr int64_t head_cross_entropy_scratch(const HeadCrossEntropySpec& g) { return 2 * g.rows * (g.k + 1) + 1; }
template <Scalar T>
void head_cross_entropy_forward_reference(const HeadCrossEntropySpec& g, const HeadInputs<T>& in,
                                          const HeadOutputs<T>& out, T* scratch) {
  T *z = scratch, *d = z + g.rows * g.k, *saved = d + g.rows * g.k;
  const LinearSpec linear = g.linear(g.rows);
  const CrossEntropySpec loss = g.cross_entropy(g.rows);
  for (int64_t i = 0; i < g.rows; ++i)
    if (in.target[i] < kIgnore || in.target[i] >= g.k) throw_bad_target("head_cross_entropy", g.k, i, in.target[i]);
  linear_forward_reference(linear, in.x, in.w, in.b, z);
  CrossEntropy::reference(loss, CrossEntropy::Forward<T>{z, in.target, in.weight, out.loss, saved});
  const T one(1);
  CrossEntropy::reference(loss, CrossEntropy::Backward<T>{&one, z, in.target, in.weight, saved, d});
  if (out.dx) linear_backward_data_reference(linear, d, in.w, out.dx);
  if (out.dw) linear_backward_weight_reference(linear, d, in.x, out.dw);
  if (out.db) linear_backward_bias_reference(linear, d, out.db);
  if (out.prediction) head_predictions(g.rows, g.k, z, out.prediction);
  if (out.confusion) head_confusion(g.rows, g.k, in.target, out.prediction, out.confusion);
}
// In place, on what forward gave; each may be null.
template <Scalar T>
void head_cross_entropy_backward_reference(const HeadCrossEntropySpec& g, const T* dy, T* dx, T* dw, T* db) {
  for (int64_t i = 0; dx && i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] *= *dy;
  for (int64_t i = 0; dw && i < g.w_size(); ++i) dw[i] *= *dy;
  for (int64_t k = 0; db && k < g.k; ++k) db[k] *= *dy;
}

template <class X>
struct HeadCrossEntropyImplOf {
  const char* name;
  Device device;
  bool (*supports)(const HeadCrossEntropySpec&);
  size_t (*workspace)(const HeadCrossEntropySpec&);  // of forward
  void (*forward)(const Exec&, const HeadCrossEntropySpec&, const HeadInputs<float, X>&, const HeadOutputs<float, X>&);
  void (*backward)(const Exec&, const HeadCrossEntropySpec&, const float* dy, X* dx, float* dw, float* db);
};
using HeadCrossEntropyImpl = HeadCrossEntropyImplOf<float>;
template <class X>
HeadCrossEntropyImplOf<X> head_cross_entropy_cuda_impl();  // head_cross_entropy.cu
template <class X = float>
const Registry<HeadCrossEntropyImplOf<X>>& head_cross_entropy_registry();

}  // namespace kern::kernels
