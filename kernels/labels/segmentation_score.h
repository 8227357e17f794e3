// segmentation_score: what a segmentation is worth, counted where its probabilities are. These stand on a grid of h x w
// places, the labels on one of H x W that shows the same image; between its places a probability is linear.
//   at(i) = clamp((i + 1/2) h / H - 1/2, 0, h - 1)       where row i of the labels lies among the rows of p; columns
//   alike q[i,j,k] = p[.,.,k] at (at(i), at(j)), bilinear;     of one value a place p is class 1's: q[0] interpolates 1
//   - p m[i,j] = argmax_k q[i,j,k], of equal ones the first; of two classes 1 where q[1] >= threshold counts[t,k] = how
//   many labels t >= 0 have m = k;     loss = - sum over labels t >= 0 of log max(q[t], 1e-30)
// A label that is neither a class nor kIgnore is an Error; on a GPU, which cannot throw, it is ignored.
// Layouts: p [h,w,C] with a pitch; label [H,W]; counts [K,K], row = truth, K = max(C, 2); loss [1]. Nothing here has a
// gradient.
#pragma once
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/targets.h"

namespace kern::kernels {

struct SegmentationScoreSpec {
  int64_t h = 1, w = 1, c = 1;    // of the probabilities
  int64_t rows = 1, columns = 1;  // H and W of the labels
  double threshold = 0.5;         // of two classes
  int64_t p_pitch = 1;
  constexpr int64_t classes() const { return class_count(c); }
  bool operator==(const SegmentationScoreSpec&) const = default;
};

// Two neighbours on an axis of the grid, and how far behind the first.
struct GridPlace {
  int64_t low, high;
  float share;
};
constexpr GridPlace grid_place(int64_t i, int64_t from, int64_t to) {
  const double middle = (double(i) + 0.5) * double(from) / double(to) - 0.5, last = double(from - 1);
  const double at = middle < 0 ? 0 : middle > last ? last : middle;
  const auto low = int64_t(at);
  return {low, low + 1 < from ? low + 1 : from - 1, float(at - double(low))};
}

// q of class k at a place.
template <class T>
constexpr T score_probability(const SegmentationScoreSpec& g, const T* p, const GridPlace& y, const GridPlace& x,
                              int64_t k) {
  const auto at = [&](int64_t i, int64_t j) {
    const T* place = p + (i * g.w + j) * g.p_pitch;
    return g.c > 1 ? place[k] : k == 1 ? place[0] : 1 - place[0];
  };
  const T top = at(y.low, x.low) + T(x.share) * (at(y.low, x.high) - at(y.low, x.low)),
          bottom = at(y.high, x.low) + T(x.share) * (at(y.high, x.high) - at(y.high, x.low));
  return top + T(y.share) * (bottom - top);
}
template <class T>
constexpr int64_t score_class(const SegmentationScoreSpec& g, const T* p, const GridPlace& y, const GridPlace& x) {
  if (g.classes() == 2) return double(score_probability(g, p, y, x, 1)) >= g.threshold ? 1 : 0;
  int64_t most = 0;
  T largest = score_probability(g, p, y, x, 0);
  for (int64_t k = 1; k < g.c; ++k)
    if (const T q = score_probability(g, p, y, x, k); q > largest) largest = q, most = k;
  return most;
}

// Rows begin .. end-1 of the labels, added to counts; their loss.
template <std::floating_point T>
double score_rows(const SegmentationScoreSpec& g, int64_t begin, int64_t end, const T* p, const int32_t* label,
                  int32_t* counts) {
  double loss = 0;
  for (int64_t i = begin; i < end; ++i) {
    const GridPlace y = grid_place(i, g.h, g.rows);
    for (int64_t j = 0; j < g.columns; ++j) {
      const int32_t t = label[i * g.columns + j];
      if (t == kIgnore) continue;
      if (!takes_part(t, g.classes())) throw_bad_target("segmentation_score", g.classes(), i * g.columns + j, t);
      const GridPlace x = grid_place(j, g.w, g.columns);
      ++counts[t * g.classes() + score_class(g, p, y, x)];
      loss -= std::log(std::max(1e-30, double(score_probability(g, p, y, x, t))));
    }
  }
  return loss;
}
template <std::floating_point T>
void segmentation_score_reference(const SegmentationScoreSpec& g, const T* p, const int32_t* label, int32_t* counts,
                                  T* loss) {
  std::fill_n(counts, g.classes() * g.classes(), 0);
  *loss = T(score_rows(g, 0, g.rows, p, label, counts));
}

struct SegmentationScoreImpl {
  const char* name;
  Device device;
  bool (*supports)(const SegmentationScoreSpec&);
  size_t (*workspace)(const SegmentationScoreSpec&);
  void (*forward)(const Exec&, const SegmentationScoreSpec&, const float* p, const int32_t* label, int32_t* counts,
                  float* loss);
};
const Registry<SegmentationScoreImpl>& segmentation_score_registry();
SegmentationScoreImpl segmentation_score_cuda_impl();  // segmentation_score.cu

}  // namespace kern::kernels
