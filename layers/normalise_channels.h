#pragma once
#include <span>

#include "engine/ops/batch_norm.h"
#include "layers/module.h"

namespace kern {

// y = (x - mean) / deviation of every channel by fixed numbers: how an image of values in [0, 1] becomes what an
// encoder was trained on. x [...,C]. They travel with the model as buffers. Without numbers it is the identity.
struct NormaliseChannels {
  Buffer mean, variance;
  NormaliseChannels() = default;
  // Errors: as many means as deviations, and those above 0.
  NormaliseChannels(std::span<const float> means, std::span<const float> deviations,
                    SourceLocation at = SourceLocation::current()) {
    check({means.size() == deviations.size(), at}, "normalise: ", means.size(), " means and ", deviations.size(),
          " deviations; every channel needs one of each");
    std::vector<float> squares;
    for (const float d : deviations) {
      check({d > 0, at}, "normalise: a deviation must be above 0, got ", d);
      squares.push_back(d * d);
    }
    mean = Buffer(Tensor::from({int64_t(means.size())}, means));
    variance = Buffer(Tensor::from({int64_t(means.size())}, std::span<const float>(squares)));
  }
  Tensor operator()(const Tensor& x) const {
    return mean ? batch_norm(x, {}, {}, mean, variance, {.training = false, .eps = 0}) : x;
  }
  template <class V>
  void visit(V&& v) {
    v("mean", mean), v("variance", variance);
  }
};

}  // namespace kern
