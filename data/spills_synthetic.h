// Images of a conveyor as a plant camera sees them, a spill or not: a stand-in where the real ones cannot be had.
#pragma once
#include <cstdint>

#include "data/image.h"

namespace kern::data {

// Greenish, low in contrast, unevenly lit, with a grain; a spill is a bright textured blotch of uneven outline.
struct SpillOptions {
  int64_t height = 27, width = 48;
  double strength = 1;  // of spills: how much brighter and larger; 1 is plain to see, 0.5 hard
  double drift = 0;     // of all images: light and hue move by this share, as from one season to the next
  uint64_t seed = 0;
};

struct SpillImage {
  Image image;  // [height,width,3]
  Image mask;   // [height,width,1]: 255 where the spill is; 0 throughout without one
};
// Equal (seed, number, spill) give the same image. Errors: an image under 8x8, negative strength or drift.
SpillImage spill_image(int64_t number, bool spill, const SpillOptions& options);

}  // namespace kern::data
