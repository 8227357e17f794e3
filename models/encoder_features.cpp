#include "models/encoder_features.h"

#include "engine/ops/avg_pool.h"
#include "engine/ops/concat.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/upsample.h"

namespace kern::models {

EncoderFeatures::EncoderFeatures(const EncoderFeaturesConfig& c, SourceLocation at)
    : levels_(c.levels), average_(c.average), encoder_(c.encoder, at) {
  const int taps = int(encoder_.tap_channels().size());
  check({!levels_.empty(), at}, "an encoder's features need at least one level, 1 to ", taps);
  for (size_t i = 0; i < levels_.size(); ++i)
    check({levels_[i] >= 1 && levels_[i] <= taps && (i == 0 || levels_[i] > levels_[i - 1]), at},
          "the levels of an encoder's features must rise from 1 to at most ", taps, ", got ", levels_[i]);
  check({average_ == 0 || (average_ > 0 && average_ % 2 == 1), at},
        "features are averaged over a square of odd side, or 0 for those that are not; got ", average_);
}

int EncoderFeatures::channels() const {
  int sum = 0;
  for (const int level : levels_)
    sum += (average_ > 0 ? encoder_.end_channels() : encoder_.tap_channels())[size_t(level) - 1];
  return sum;
}

Tensor EncoderFeatures::operator()(const Tensor& x) {
  const std::vector<Tensor> taps = average_ > 0 ? encoder_.ends(x) : encoder_.encode(x);
  const auto level = [&](size_t i) {
    const Tensor& tap = taps[size_t(levels_[i]) - 1];
    if (average_ == 0) return tap;
    return avg_pool2d(tap, {.window = average_, .stride = 1, .padding = average_ / 2, .count_include_pad = false});
  };
  std::vector<Tensor> parts{level(0)};
  const Pair finest{int(parts[0].dim(1)), int(parts[0].dim(2))};
  for (size_t i = 1; i < levels_.size(); ++i) parts.push_back(upsample(level(i), finest));
  return concat(parts);
}

Tensor PooledFeatures::operator()(const Tensor& x) {
  std::vector<Tensor> parts;
  for (const Tensor& end : encoder_.ends(x)) parts.push_back(global_avg_pool(end));
  return concat(parts);
}

}  // namespace kern::models
