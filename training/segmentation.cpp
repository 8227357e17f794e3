#include "training/segmentation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/ops/softmax.h"

namespace kern::training {

Segmentation segment(const AnyModule& network, const Tensor& x) {
  check(x.rank() >= 2 && x.dim(0) == 1, "segment: one sample at a time, got ", x.shape());
  NoGrad off;
  network.set_training(false);
  const Tensor p = softmax(network(x.to(network.device())));
  Segmentation s{.classes = p.channels(), .labels = {}, .probabilities = p.values()};
  s.labels.reserve(size_t(p.rows()));
  for (int64_t i = 0; i < p.rows(); ++i) {
    const float* row = s.probabilities.data() + i * s.classes;
    s.labels.push_back(int(std::max_element(row, row + s.classes) - row));
  }
  return s;
}

int choose_class(std::span<const float> p, double threshold) {
  if (p.size() == 2) return p[1] >= threshold ? 1 : 0;
  return int(std::max_element(p.begin(), p.end()) - p.begin());
}

std::vector<float> class_weights(ClassWeights kind, std::span<const int64_t> counts) {
  const double total = double(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  std::vector<float> weights;
  for (int64_t count : counts) {
    switch (kind) {
      case ClassWeights::none:
        weights.push_back(1);
        break;
      case ClassWeights::complement:
        weights.push_back(total > 0 ? float(1 - double(count) / total) : 1);
        break;
      case ClassWeights::inverse:
        weights.push_back(count > 0 ? float(total / (double(counts.size()) * double(count))) : 0);
        break;
      case ClassWeights::inverse_root:
        weights.push_back(count > 0 ? float(std::sqrt(total / (double(counts.size()) * double(count)))) : 0);
        break;
    }
  }
  return weights;
}

}  // namespace kern::training
