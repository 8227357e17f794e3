// Which training wells may show their labels: to find out what few labels are worth, and what unlabelled wells add.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/labelled_share.h"
#include "data/wells_split.h"

namespace kern::data {

struct LabelledOptions {
  double fraction = 1;             // of the training wells, above 0, rounded up
  std::vector<std::string> wells;  // not empty: exactly these, by id, name or UWI
  uint64_t seed = 0;
};
using LabelledWells = ShownLabels;  // training wells
// By well, and the same well twice on one side; nested: with one seed, the wells of a smaller fraction are among those
// of a larger one. Throws an Error for a fraction out of range and for a listed well that is no training well.
LabelledWells choose_labelled(const std::vector<Well>& wells, const Split& split, const LabelledOptions& options);

// Of `classes` classes: how many labelled samples these wells have.
std::vector<int64_t> class_counts(const std::vector<Well>& wells, std::span<const int64_t> which, int classes);

}  // namespace kern::data
