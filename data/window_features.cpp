#include "data/window_features.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/common/error.h"

namespace kern::data {
void window_features(std::span<const float> inputs, int64_t channels, int64_t at, std::span<float> out) {
  const int64_t length = channels > 0 ? int64_t(inputs.size()) / channels : 0;
  internal_check(at >= 0 && at < length && int64_t(out.size()) == channels * kWindowFeatures,
                 "window_features: sample ", at, " of ", length, " with room for ", out.size(), " features");
  size_t next = 0;
  for (int64_t c = 0; c < channels; ++c) {
    const auto value = [&](int64_t i) { return inputs[size_t(i * channels + c)]; };
    for (const int64_t offset : kWindowOffsets) out[next++] = value(std::clamp<int64_t>(at + offset, 0, length - 1));
    for (const int64_t radius : kWindowRadii) {
      const int64_t first = std::max<int64_t>(0, at - radius), end = std::min(length, at + radius + 1);
      double mean = 0, squares = 0;
      for (int64_t i = first; i < end; ++i) mean += value(i);
      mean /= double(end - first);
      for (int64_t i = first; i < end; ++i) squares += (value(i) - mean) * (value(i) - mean);
      out[next++] = float(mean);
      out[next++] = float(std::sqrt(squares / double(end - first)));
    }
  }
}

void window_features_or_missing(std::span<const float> inputs, int64_t curves, bool mask, int64_t at,
                                std::span<float> out) {
  const int64_t channels = curves * (mask ? 2 : 1), length = channels > 0 ? int64_t(inputs.size()) / channels : 0;
  internal_check(at >= 0 && at < length && int64_t(out.size()) == curves * kWindowFeatures,
                 "window_features_or_missing: sample ", at, " of ", length, " with room for ", out.size(), " features");
  constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
  size_t next = 0;
  for (int64_t c = 0; c < curves; ++c) {
    const auto value = [&](int64_t i) {
      const bool measured = !mask || inputs[size_t(i * channels + curves + c)] > 0;
      return measured ? inputs[size_t(i * channels + c)] : kMissing;
    };
    for (const int64_t offset : kWindowOffsets) out[next++] = value(std::clamp<int64_t>(at + offset, 0, length - 1));
    for (const int64_t radius : kWindowRadii) {
      const int64_t first = std::max<int64_t>(0, at - radius), end = std::min(length, at + radius + 1);
      double n = 0, mean = 0, squares = 0;
      for (int64_t i = first; i < end; ++i)
        if (const float v = value(i); !std::isnan(v)) mean += double(v), ++n;
      mean /= n;  // of none: NaN
      for (int64_t i = first; i < end; ++i)
        if (const float v = value(i); !std::isnan(v)) squares += (double(v) - mean) * (double(v) - mean);
      out[next++] = n > 0 ? float(mean) : kMissing;
      out[next++] = n > 0 ? float(std::sqrt(squares / n)) : kMissing;
    }
  }
}

}  // namespace kern::data
