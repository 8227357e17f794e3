// labels: what training without labels makes of class numbers, on the device itself. A label l[i] is a class, or
// negative where position i has none (kIgnore).
//   relabel      y[i] = value where l[i] >= 0, kIgnore elsewhere
//   one_hot      y[i,:] = 1 at l[i] and 0 elsewhere; where there is no label otherwise[i,:], or 0 if that is null
//   choose       y[i,:] = a[i,:] where l[i] >= 0, b[i,:] elsewhere
//   move_labels  y[i] = l[first + origin[i]], move_rows y[i,:] = x[first + origin[i],:], where `first` is the first
//                position of i's sample; kIgnore and 0 where origin[i] is negative
//   mean         s = {mean of x[i] over positions with a label, their number n, rows / n}; n = 0 gives 0, 0, 0;
//                x may be null: the mean of nothing
// A class that is not in 0 .. C-1 (one_hot) or an origin outside of its sample is an Error; on a GPU, which cannot
// throw, the position counts as one without label or origin. Nothing here has a gradient.
// Layouts: l, origin, y of labels [rows]; a, b, otherwise, rows' x and y [rows,C]; mean's x [rows] with a pitch; s [3].
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/targets.h"

namespace kern::kernels {

struct LabelsSpec {
  int64_t rows = 0, c = 1;
  int32_t value = 0;      // relabel
  int64_t positions = 1;  // move: of a sample; rows is a multiple of it
  int64_t x_pitch = 1;    // mean
  bool operator==(const LabelsSpec&) const = default;
};

inline void relabel_reference(const LabelsSpec& g, const int32_t* l, int32_t* y) {
  for (int64_t i = 0; i < g.rows; ++i) y[i] = l[i] >= 0 ? g.value : kIgnore;
}
template <Scalar T>
void one_hot_reference(const LabelsSpec& g, const int32_t* l, const T* otherwise, T* y) {
  for (int64_t i = 0; i < g.rows; ++i) {
    if (l[i] >= g.c) throw_bad_target("one_hot", g.c, i, l[i]);
    for (int64_t c = 0; c < g.c; ++c)
      y[i * g.c + c] = l[i] >= 0 ? T(l[i] == c) : otherwise ? otherwise[i * g.c + c] : T(0);
  }
}
template <Scalar T>
void choose_reference(const LabelsSpec& g, const int32_t* l, const T* a, const T* b, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) y[i * g.c + c] = (l[i] >= 0 ? a : b)[i * g.c + c];
}
// Labels are rows of one value; `none` stands where there is no origin.
template <class T>
void move_reference(const LabelsSpec& g, const T* x, const int32_t* origin, T none, T* y) {
  for (int64_t i = 0; i < g.rows; ++i) {
    check(origin[i] < g.positions, "a view shows position ", origin[i], " of samples that have ", g.positions);
    const int64_t from = i / g.positions * g.positions + origin[i];
    for (int64_t c = 0; c < g.c; ++c) y[i * g.c + c] = origin[i] >= 0 ? x[from * g.c + c] : none;
  }
}
template <std::floating_point T>
void labelled_mean_reference(const LabelsSpec& g, const T* x, const int32_t* l, T* s) {
  double sum = 0, n = 0;
  for (int64_t i = 0; i < g.rows; ++i)
    if (l[i] >= 0) sum += x ? double(x[i * g.x_pitch]) : 0, ++n;
  s[0] = n > 0 ? T(sum / n) : T(0);
  s[1] = T(n);
  s[2] = n > 0 ? T(double(g.rows) / n) : T(0);
}

struct LabelsImpl {
  const char* name;
  Device device;
  bool (*supports)(const LabelsSpec&);
  size_t (*workspace)(const LabelsSpec&);  // of mean
  void (*relabel)(const Exec&, const LabelsSpec&, const int32_t* l, int32_t* y);
  void (*one_hot)(const Exec&, const LabelsSpec&, const int32_t* l, const float* otherwise, float* y);
  void (*choose)(const Exec&, const LabelsSpec&, const int32_t* l, const float* a, const float* b, float* y);
  void (*move_labels)(const Exec&, const LabelsSpec&, const int32_t* l, const int32_t* origin, int32_t* y);
  void (*move_rows)(const Exec&, const LabelsSpec&, const float* x, const int32_t* origin, float* y);
  void (*mean)(const Exec&, const LabelsSpec&, const float* x, const int32_t* l, float* s);
};
const Registry<LabelsImpl>& labels_registry();
LabelsImpl labels_cuda_impl();  // labels.cu

}  // namespace kern::kernels
