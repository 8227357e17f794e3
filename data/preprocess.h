// What an image goes through before a network sees it: the same in training and in prediction, stored in the model.
#pragma once
#include <cstdint>

#include "data/image.h"

namespace kern::data {

// In this order. The chain of TASKS' anomaly detectors is {.sharpen = 5, .height = 28, .width = 48, .crop_height = 28,
// .crop_width = 28, .blur = 1}.
struct Preprocess {
  int channels = 3;                     // 1 grey or 3 colours
  double sharpen = 1;                   // f: f x image + (1 - f) x smoothed image; 1 changes nothing
  int height = 0, width = 0;            // resized to this; 0: as it is
  int crop_height = 0, crop_width = 0;  // then the middle of it; 0: all
  double blur = 0;                      // then a 3x3 Gaussian of this deviation; 0: none
  bool operator==(const Preprocess&) const = default;
};

// Values in [0, 1], [H,W,channels]. Sharpening smooths by (1 1 1; 1 5 1; 1 1 1) / 13, leaves the outermost pixels as
// they are and clamps to 0..255 (as Pillow's ImageEnhance.Sharpness); edges are mirrored for the blur. An image
// smaller than the crop is an Error. `blur` in place of the chain's own, if not negative.
Raster<float> prepare(const Image& image, const Preprocess& chain, double blur = -1);
// What prepare() makes of an image of this size.
struct ImageSize {
  int64_t H = 0, W = 0;
  bool operator==(const ImageSize&) const = default;
};
ImageSize prepared_size(ImageSize image, const Preprocess& chain);
// Which part of an image of this size the chain keeps, in the image's own pixels.
struct ImageRegion {
  int64_t y = 0, x = 0, H = 0, W = 0;
};
ImageRegion prepared_region(ImageSize image, const Preprocess& chain);
// The part of the image that the chain keeps, not distorted: at the image's own aspect ratio, of about as many pixels as
// prepare() makes, both sides multiples of `multiple`; sharpened and blurred as the chain says. Values in [0, 1].
Raster<float> prepare_undistorted(const Image& image, const Preprocess& chain, int64_t multiple);
// The same steps for a mask: resized to the nearest, cropped.
Image prepare_mask(const Image& mask, const Preprocess& chain);

}  // namespace kern::data
