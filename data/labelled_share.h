// Which training items may show their labels: to find out what few labels are worth, and what unlabelled data add.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace kern::data {

struct ShownLabels {
  std::vector<int64_t> labelled, hidden;  // ascending
};
// A share of the items, above 0 and at most 1, rounded up; group[i]: items i of equal number stay together (the same
// well or image twice). Nested: with one seed, the items of a smaller share are among those of a larger one.
ShownLabels choose_share(std::span<const int64_t> items, std::span<const int64_t> group, double share, uint64_t seed);

// What a method may learn from without labels, ascending: the hidden items, and those that have no label.
std::vector<int64_t> without_labels(const ShownLabels& shown, std::span<const int64_t> unlabelled);

}  // namespace kern::data
