#include "models/encoder_features.h"

#include "engine/ops/concat.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/upsample.h"

namespace kern::models {

EncoderFeatures::EncoderFeatures(const EncoderFeaturesConfig& c, SourceLocation at)
    : levels_(c.levels), encoder_(c.encoder, at) {
  const int taps = int(encoder_.tap_channels().size());
  check({!levels_.empty(), at}, "an encoder's features need at least one level, 1 to ", taps);
  for (size_t i = 0; i < levels_.size(); ++i)
    check({levels_[i] >= 1 && levels_[i] <= taps && (i == 0 || levels_[i] > levels_[i - 1]), at},
          "the levels of an encoder's features must rise from 1 to at most ", taps, ", got ", levels_[i]);
}

int EncoderFeatures::channels() const {
  int sum = 0;
  for (const int level : levels_) sum += encoder_.tap_channels()[size_t(level) - 1];
  return sum;
}

Tensor EncoderFeatures::operator()(const Tensor& x) {
  const std::vector<Tensor> taps = encoder_.encode(x);
  const Tensor& finest = taps[size_t(levels_[0]) - 1];
  std::vector<Tensor> parts{finest};
  for (size_t i = 1; i < levels_.size(); ++i)
    parts.push_back(upsample(taps[size_t(levels_[i]) - 1], {int(finest.dim(1)), int(finest.dim(2))}));
  return concat(parts);
}

Tensor PooledFeatures::operator()(const Tensor& x) {
  std::vector<Tensor> parts;
  for (const Tensor& end : encoder_.ends(x)) parts.push_back(global_avg_pool(end));
  return concat(parts);
}

}  // namespace kern::models
