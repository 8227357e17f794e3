// pseudo_labels on the GPU: a thread for each position, which reads its C probabilities; the counts are summed in the
// same pass. 4 C + 12 bytes a position.
#include "kernels/common/sum.cuh"
#include "kernels/labels/pseudo_labels.h"

namespace kern::kernels {
namespace {

struct LabelOf {
  PseudoLabelsSpec g;
  const float* p;
  const int32_t *present, *truth;
  const float* confidence;
  int32_t* labels;
  // {present, labelled, known, right} of position i, and its label in its place.
  __device__ Terms<4> operator()(int64_t, int64_t i) const {
    if (present[i] < 0) {
      labels[i] = kIgnore;
      return {{0, 0, 0, 0}};
    }
    const float* row = p + i * g.p_pitch;
    int32_t most = 0;
    float largest = row[0];
    for (int32_t k = 1; k < g.c; ++k) {
      const float v = row[k];
      if (v > largest) largest = v, most = k;
    }
    const bool sure = double(confidence ? confidence[i * g.confidence_pitch] : largest) > g.threshold;
    const int32_t known = truth ? truth[i] : kIgnore;
    labels[i] = sure ? most : kIgnore;
    const float of_known = sure && known >= 0 ? 1.0f : 0.0f;
    return {{1, sure ? 1.0f : 0.0f, of_known, known == most ? of_known : 0.0f}};
  }
};
struct Figures {
  float* figures;
  __device__ void operator()(const Sums<4>& s) const {
    PseudoLabelCounts{.present = s.v[0], .labelled = s.v[1], .known = s.v[2], .right = s.v[3]}.shares(figures);
  }
};

}  // namespace

PseudoLabelsImpl pseudo_labels_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const PseudoLabelsSpec& g) { return device_sums_workspace(g.rows, 4); },
          .forward =
              [](const Exec& exec, const PseudoLabelsSpec& g, const float* p, const int32_t* present,
                 const int32_t* truth, const float* confidence, int32_t* labels, float* figures) {
                device_sums<4>("pseudo_labels", exec, g.rows, 1, true,
                               LabelOf{g, p, present, truth, confidence, labels}, Figures{figures});
              }};
}

}  // namespace kern::kernels
