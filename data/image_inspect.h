// What would break or bend a training on images, said in plain words before it starts.
#pragma once
#include <vector>

#include "data/finding.h"
#include "data/image_split.h"
#include "data/image_store.h"

namespace kern::data {

// Errors first, then warnings, then notes. Kinds: files left out, images and masks that cannot be read, mask values
// of no class (each value once, with the remedy), classes without a pixel, or on one side of the split alone, masks of
// one class throughout, images without a mask, equal images, near images on both sides of the split, sizes that
// differ.
std::vector<Finding> inspect_images(const ImageStore& store, const std::vector<ImageClass>& classes,
                                    const std::vector<Problem>& skipped, const MaskReader& masks,
                                    const ImageSplit* split = nullptr, bool unmapped_allowed = false);

}  // namespace kern::data
