// pseudo_labels: the most probable class of every position, where it is trusted, as a label for others.
//   m[i] = argmax_k p[i,k], of equal ones the first
//   label[i] = m[i] where present[i] >= 0 and confidence[i] > threshold, kIgnore elsewhere
//   figures = {labelled / present, present, right / known, known}; a share of nothing is 0
// `present`, `labelled`, `known` (labelled, and truth[i] >= 0) and `right` (known, and truth[i] = m[i]) count
// positions. Without a confidence the largest p stands for it; a NaN is trusted by no threshold. Nothing here has a
// gradient. Layouts: p [rows,C]; present, truth (or null), labels [rows]; confidence [rows] with a pitch, or null;
// figures [4].
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/targets.h"

namespace kern::kernels {

struct PseudoLabelsSpec {
  int64_t rows = 0, c = 1;
  double threshold = 0;
  int64_t p_pitch = 1, confidence_pitch = 1;
  bool operator==(const PseudoLabelsSpec&) const = default;
};

// Numbers of positions.
struct PseudoLabelCounts {
  double present = 0, labelled = 0, known = 0, right = 0;
  template <std::floating_point T>
  constexpr void shares(T* figures) const {
    figures[0] = present > 0 ? T(labelled / present) : T(0);
    figures[1] = T(present);
    figures[2] = known > 0 ? T(right / known) : T(0);
    figures[3] = T(known);
  }
};

// The labels of rows begin .. end-1, and how many there are of each kind.
template <std::floating_point T>
PseudoLabelCounts label_rows(const PseudoLabelsSpec& g, int64_t begin, int64_t end, const T* p, const int32_t* present,
                             const int32_t* truth, const T* confidence, int32_t* labels) {
  PseudoLabelCounts n;
  for (int64_t i = begin; i < end; ++i) {
    labels[i] = kIgnore;
    if (present[i] < 0) continue;
    ++n.present;
    const T* row = p + i * g.p_pitch;
    int32_t most = 0;
    for (int32_t k = 1; k < g.c; ++k)
      if (row[k] > row[most]) most = k;
    if (!(double(confidence ? confidence[i * g.confidence_pitch] : row[most]) > g.threshold)) continue;
    ++n.labelled;
    labels[i] = most;
    if (!truth || truth[i] < 0) continue;
    ++n.known;
    n.right += truth[i] == most;
  }
  return n;
}
template <std::floating_point T>
void pseudo_labels_reference(const PseudoLabelsSpec& g, const T* p, const int32_t* present, const int32_t* truth,
                             const T* confidence, int32_t* labels, T* figures) {
  label_rows(g, 0, g.rows, p, present, truth, confidence, labels).shares(figures);
}

struct PseudoLabelsImpl {
  const char* name;
  Device device;
  bool (*supports)(const PseudoLabelsSpec&);
  size_t (*workspace)(const PseudoLabelsSpec&);
  void (*forward)(const Exec&, const PseudoLabelsSpec&, const float* p, const int32_t* present, const int32_t* truth,
                  const float* confidence, int32_t* labels, float* figures);
};
const Registry<PseudoLabelsImpl>& pseudo_labels_registry();
PseudoLabelsImpl pseudo_labels_cuda_impl();  // pseudo_labels.cu

}  // namespace kern::kernels
