// Which images train, which validate and which are kept for the test.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/image_folder.h"

namespace kern::data {

struct ImageSplitOptions {
  double validation = 0.3;  // share of the labelled images that are not kept for the test
  int folds = 0, fold = 0;  // folds >= 2: k-fold instead, fold in 0 .. folds-1 validates
  // Text files of ids or file names, one a line: exactly these validate, exactly these are the test (then `test` is 0).
  std::filesystem::path validation_list, test_list;
  std::span<const int64_t> validating;  // not empty: exactly these images validate
  double test = 0;                      // share of the labelled images that neither trains nor validates
  uint64_t seed = 0;
};
struct ImageSplit {
  std::vector<int64_t> training, validation, test;  // labelled images, ascending
  std::vector<int64_t> unlabelled;                  // and neither validated nor tested by one of their group
};
// group[i]: images of equal number stay on one side (the same image twice, neighbours of a film); empty: each for
// itself. Error: options out of range, a listed name that is not there or has no mask, a group that validates and tests,
// a side that stays empty.
ImageSplit split_images(const std::vector<ImageFile>& images, const ImageSplitOptions& options,
                        std::span<const int64_t> group = {});

// Every so many of the images, so that they come from all over the set.
std::vector<int64_t> spread(const std::vector<int64_t>& which, int64_t count);

}  // namespace kern::data
