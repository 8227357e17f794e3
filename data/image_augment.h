// From a decoded image and its mask to what a network is given: cut, scaled, and in training changed at random, both
// alike.
#pragma once
#include <cstdint>
#include <vector>

#include "data/image_store.h"
#include "engine/random.h"

namespace kern::data {

// What may happen to an image in training; 0 and false: it does not. Amounts are drawn anew, uniformly, for every
// image and epoch.
struct ImageAugmentation {
  bool flip_horizontal = false, flip_vertical = false;  // each for half of the images
  bool rot90 = false;                                   // quarter turns; half turns where height and width differ
  double rotate = 0;                                    // degrees, up to this either way
  double zoom = 0;                                      // magnified or reduced by up to this share
  double shift = 0;                                     // by up to this share of height and width
  double crop = 0;        // a part that leaves out up to this share of the area, of its own shape, is scaled up
  double brightness = 0;  // times 1 +- up to this
  double contrast = 0;    // about the image's mean
  double saturation = 0;  // of colours, about their grey
  double hue = 0;         // turned by up to this part of the circle either way
  double noise = 0;       // normal, of a deviation up to this, where white is 1
  double blur = 0;        // Gaussian, of a deviation up to this many pixels
  double cutout = 0;      // a grey rectangle of up to this share of height and width; the mask stays
};

enum class Fit {
  scale,  // the whole image is scaled to the size
  crop    // a part of the size, at random in training; a smaller image is padded with what takes no part
};

struct ImageSample {
  int64_t H = 0, W = 0, C = 0;
  std::vector<float> inputs;    // [H,W,C], 0 to 1
  std::vector<int32_t> labels;  // [H,W] class or -1
};

// Without augmentation (null) a crop is the middle. Deterministic: by the random sequence alone.
ImageSample make_sample(const LoadedImage& image, Fit fit, int64_t H, int64_t W, const ImageAugmentation* augmentation,
                        RandomSequence& random);

// A second view of a sample, for methods that hold two of them against each other.
struct ImageView {
  std::vector<float> inputs;  // [H,W,C]
  std::vector<int32_t>
      origin;  // [H,W] the position of the sample (row by row) that each shows; -1: none, it lies outside
};
// Changed as `a` says, flips and colours as in training; what moves pixels (flips, turns, rotate, zoom, shift) moves
// the origins equally. `crop` does not apply: zoom does that. A cut-out pixel keeps its origin, and is to be guessed.
ImageView strong_view(const ImageSample& sample, const ImageAugmentation& a, RandomSequence& random);

// Back to 8 bits, for people to look at.
Image to_image(const ImageSample& sample);
Labels labels_of(const ImageSample& sample);

}  // namespace kern::data
