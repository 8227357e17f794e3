// Which wells train, which validate and which are kept for the test. Always by well, never by sample, and the same well
// twice stays on one side.
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
  // The fraction of labelled wells that are not kept for the test, 0 < fraction < 1; at least one well on each side.
  double validation = 0.2;
  int folds = 0, fold = 0;                    // folds >= 2: k-fold instead, fold in 0 .. folds-1 validates
  std::vector<std::string> validation_wells;  // not empty: exactly these, by id, name or UWI
  double test = 0;                            // the fraction of labelled wells that neither train nor validate
  uint64_t seed = 0;
};

struct Split {
  std::vector<int64_t> training, validation, test;  // indices of wells with at least one label, ascending
  std::vector<int64_t> unlabelled;                  // without any label, and not one well with one of the last two
  std::vector<std::string> notes;
};

// Throws an Error for options out of range, an unknown id (naming the nearest), a well listed for validation that has
// no label, or when a side stays empty.
Split split_wells(const std::vector<Well>& wells, const SplitOptions& options);

}  // namespace kern::data
