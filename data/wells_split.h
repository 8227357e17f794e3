// Which wells train and which validate. Always by well, never by sample, and the same well twice stays on one side.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/wells.h"

namespace kern::data {

// group[i] is the same number for wells that are one well: equal name or UWI, or equal curve values (whatever their
// depth). Numbers go up in the order of the wells, from 0.
std::vector<int64_t> group_wells(const std::vector<Well>& wells);

struct SplitOptions {
  double validation = 0.2;  // the fraction of labelled wells, 0 < fraction < 1; at least one well on each side
  int folds = 0, fold = 0;  // folds >= 2: k-fold instead, fold in 0 .. folds-1 validates
  std::vector<std::string> validation_wells;  // not empty: exactly these, by id, name or UWI
  uint64_t seed = 0;
};

struct Split {
  std::vector<int64_t> training, validation;  // indices of wells with at least one label, ascending
  std::vector<int64_t> unlabelled;            // wells without any label that are not one well with a validation well
  std::vector<std::string> notes;
};

// Throws an Error for options out of range, an unknown id (naming the nearest), a well listed for validation that has
// no label, or when a side stays empty.
Split split_wells(const std::vector<Well>& wells, const SplitOptions& options);

}  // namespace kern::data
