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

}  // namespace kern::data
