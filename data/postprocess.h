// What is done to predicted labels after the network.
#pragma once
#include <cstdint>
#include <span>

namespace kern::data {

// Removes beds too thin to believe: every run of equal labels shorter than n samples takes the label above it.
// One pass from the top: a removed run joins the run above it before the next one is evaluated, so that two short runs in
// a row both go. A short run at the very top, with nothing above it, takes the label of the first run below it that is
// long enough; when no run of the well is long enough, the labels stay as they are. n <= 1 changes nothing. kUnlabelled
// samples are never changed and end a run: what lies below them starts a new top.
void remove_short(std::span<int> labels, int64_t n);

// The labelling [L] whose class index never goes down and which is expected to be right at the most samples: for
// classes that follow each other in depth, as the zones between picked horizons do. A class may be missing. The
// labelling with the largest sum of probabilities [L,K] is found by dynamic programming (Viterbi 1967 over sums, the
// "optimal accuracy" of Kall, Krogh & Sonnhammer 2005), in O(L K). The product in place of the sum, the most probable
// labelling of independent samples, lets a few samples that are wrong and sure of it outvote hundreds. Of equally good
// labellings it is the one whose boundaries lie deepest. A NaN counts as 0.
void label_monotone(std::span<const float> probabilities, int64_t classes, std::span<int> labels);

// What is done to the labels of a well, in this order.
struct Postprocess {
  bool monotone = false;
  int64_t remove_short = 0;
};
// labels [L]: the most probable classes of probabilities [L,K] when it begins.
void postprocess(const Postprocess& options, std::span<const float> probabilities, int64_t classes,
                 std::span<int> labels);

}  // namespace kern::data
