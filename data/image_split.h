// Which images train and which validate.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/image_folder.h"

namespace kern::data {

struct ImageSplitOptions {
  double validation = 0.3;                // share of the labelled images
  int folds = 0, fold = 0;                // folds >= 2: k-fold instead, fold in 0 .. folds-1 validates
  std::filesystem::path validation_list;  // a text file of ids or file names, one a line: exactly these validate
  uint64_t seed = 0;
};
struct ImageSplit {
  std::vector<int64_t> training, validation;  // labelled images, ascending
  std::vector<int64_t> unlabelled;
};
// group[i]: images of equal number stay on one side (the same image twice); empty: each for itself. Error: options
// out of range, a listed name that is not there or has no mask, a side that stays empty.
ImageSplit split_images(const std::vector<ImageFile>& images, const ImageSplitOptions& options,
                        std::span<const int64_t> group = {});

// Every so many of the images, so that they come from all over the set.
std::vector<int64_t> spread(const std::vector<int64_t>& which, int64_t count);

}  // namespace kern::data
