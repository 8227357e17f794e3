// What mask files hold before anyone has said how they are to be read. For `kern images init`.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/image_folder.h"
#include "data/masks.h"

namespace kern::data {

struct MaskSurvey {
  int64_t masks = 0, pixels = 0;       // looked at
  MaskKind kind = MaskKind::index;     // how they are best read
  std::map<uint32_t, int64_t> values;  // pixels of each value, or of each colour as 0xrrggbb where kind is colour
  std::vector<int> ignore;             // values that mark what nobody labelled
  double object_share = 0;             // of two classes: of all pixels, the second class's
  double object_width = 0;             // pixels: median over the second class's pixels of the shorter of the runs
                                       // through them, across and down; of more classes the narrowest's, of those
                                       // but the commonest that have a thousandth of the pixels
  double rarest_share = 0;             // of all pixels, the rarest class's
  std::string why;                     // in words, for a person
};
// Of some masks (spread over all). Error: none can be read, or what they hold is no mask.
MaskSurvey survey_masks(std::span<const ImageFile> images, int64_t most = 48);

// What tells masks from images by their names where both lie in one folder: "_mask", or empty.
std::string guess_mask_suffix(const std::filesystem::path& folder);

}  // namespace kern::data
