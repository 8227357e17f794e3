// What a plain classifier reads of a signal round a sample: neighbours near and far, and means and spreads about it.
#pragma once
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

namespace kern::data {

// Of each channel: the value at 0, ±1, ±2, ±4, ±8, ±16 and ±32 samples (beyond an end the end's value), then mean and
// standard deviation over the samples within 8 and within 32.
inline constexpr int64_t kWindowOffsets[] = {0, -1, 1, -2, 2, -4, 4, -8, 8, -16, 16, -32, 32};
inline constexpr int64_t kWindowRadii[] = {8, 32};
inline constexpr int64_t kWindowFeatures = std::size(kWindowOffsets) + 2 * std::size(kWindowRadii);

// inputs [L, C] channels last; out [C * kWindowFeatures], the features of channel 0 first. 0 <= at < L.
void window_features(std::span<const float> inputs, int64_t channels, int64_t at, std::span<float> out);

// The same of the curves alone, for what knows missing values: inputs [L, curves] or, with a mask, [L, 2 curves]; out
// [curves * kWindowFeatures]. A value that the mask says was not measured is NaN; means and deviations are those of the
// measured samples, NaN where there is none.
void window_features_or_missing(std::span<const float> inputs, int64_t curves, bool mask, int64_t at,
                                std::span<float> out);

}  // namespace kern::data
