// How sure a figure is: what it would be over other wells, images or sections of the kind.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "training/metrics.h"
#include "training/thresholds.h"

namespace kern::training {

// The middle 95 % of `figure` over 1000 resamples of `items` items, drawn with replacement and always the same (the
// percentile bootstrap, Efron 1979). `figure` gets which items, with repetitions; where it gives NaN the resample is
// left out. Nothing with fewer than 2 items or where half of the resamples have no figure.
std::optional<Interval> bootstrap(int64_t items, const std::function<double(std::span<const int64_t>)>& figure);

// Of each class, the labelled samples, the predicted ones, and those that are both: what the figures of a confusion
// matrix need, per item.
struct ClassTally {
  std::vector<int64_t> truth, predicted, both;
  explicit ClassTally(const ConfusionMatrix& matrix);
};
struct MatrixIntervals {
  std::optional<Interval> accuracy, macro_f1, mean_iou;
  std::vector<std::optional<Interval>> iou;  // of each class
};
// Of figures over all samples of all items, as the matrix of all has them.
MatrixIntervals intervals_of(std::span<const ClassTally> items);

// Good images and anomalies are drawn each among themselves.
std::optional<Interval> auroc_interval(const Scores& scores);
// Of a share, hits of n: Wilson's 95 % interval. Nothing where n is 0.
std::optional<Interval> share_interval(int64_t hits, int64_t n);

// "0.741 to 0.778", or nothing.
std::string in_words(const std::optional<Interval>& interval);
// For a key figure: "mean IoU (0.741 to 0.778)".
std::string with_interval(const std::string& label, const std::optional<Interval>& interval);
std::vector<double> ends_of(const std::optional<Interval>& interval);  // for JSON: both, or nothing

}  // namespace kern::training
