// What is done to predicted labels after the network.
#pragma once
#include <cstdint>
#include <span>

namespace kern::data {

// Removes beds too thin to believe: every run of equal labels shorter than n samples takes the label above it.
// One pass from the top: a removed run joins the run above it before the next one is judged, so that two short runs in
// a row both go. A short run at the very top, with nothing above it, takes the label of the first run below it that is
// long enough; when no run of the well is long enough, the labels stay as they are. n <= 1 changes nothing. kUnlabelled
// samples are never changed and end a run: what lies below them starts a new top.
void remove_short(std::span<int> labels, int64_t n);

// The most probable labelling [L] whose class index never goes down: for classes that follow each other in depth, as
// the zones between picked horizons do. A class may be missing. probabilities [L,K] of independent samples; the
// labelling with the largest product of them is found by dynamic programming (Viterbi 1967 with equal transitions
// upwards in index and none back), in O(L K). Of equally probable labellings it is the one whose boundaries lie
// deepest.
void label_in_order(std::span<const float> probabilities, int64_t classes, std::span<int> labels);

// The probability [L,K] that a sample has a class, when the labelling is known never to go back: the sum over the
// labellings whose class index never goes down and that have this class here, of the product of their probabilities,
// over the sum of all of them. It begins and ends with any class, as a window out of a well does. By forward and
// backward sums of logarithms (Rabiner 1989), in O(L K). probabilities [L,K] of independent samples, which the
// posteriors may overwrite.
void posteriors_in_order(std::span<const float> probabilities, int64_t classes, std::span<float> posteriors);

// What is done to the labels of a well, in this order.
struct Postprocess {
  bool in_order = false;
  int64_t remove_short = 0;
};
// labels [L]: the most probable classes of probabilities [L,K] when it begins.
void postprocess(const Postprocess& options, std::span<const float> probabilities, int64_t classes,
                 std::span<int> labels);

}  // namespace kern::data
