// From distances at the positions of a feature map to a map over the image, and the image's score.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace kern::training {

// values [h,w] -> [H,W], linear between the middles of positions, then smoothed by a Gaussian of this deviation in
// pixels (0: not; beyond four deviations nothing counts, edges are mirrored). Errors: sizes below 1, values of another
// size, a negative deviation.
std::vector<float> anomaly_map(std::span<const float> values, int64_t h, int64_t w, int64_t H, int64_t W,
                               double deviation);

// Which of the items that ought to be normal score so high that they may not be: above the median plus `deviations`
// robust deviations (1.4826 times the median deviation). Indices, the highest score first. None of fewer than 10.
std::vector<size_t> likely_anomalies(std::span<const double> scores, double deviations = 6);

}  // namespace kern::training
