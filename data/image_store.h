// The decoded images and masks of a data set: read once, kept where memory allows, otherwise decoded again.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/image_folder.h"
#include "data/masks.h"
#include "data/preprocess.h"

namespace kern::data {

struct LoadedImage {
  Image image;    // 8 bits, as many channels as the store says
  Labels labels;  // of the image's size; without pixels where there is no mask
};

// What reading an image told of it.
struct ImageFacts {
  std::string failure;  // why it cannot be used; empty: it can
  int64_t H = 0, W = 0;
  uint64_t hash = 0;                  // of its pixels: equal images, equal hash
  uint64_t likeness = 0;              // perceptual (dHash): near images differ in few bits
  std::vector<int64_t> class_pixels;  // of the mask; empty without one
  int64_t ignored_pixels = 0;
  MaskReader::Unmapped unmapped;  // mask values that no class has; their pixels are ignored
};

class ImageStore {
 public:
  // Reads every image and mask, on all threads; keeps the first ones of up to `budget` bytes. What cannot be read is
  // told by its facts. channels: 1 grey or 3 colours.
  ImageStore(std::vector<ImageFile> images, MaskReader masks, int channels, size_t budget);
  const std::vector<ImageFile>& images() const { return images_; }
  const std::vector<ImageFacts>& facts() const { return facts_; }
  int channels() const { return channels_; }
  int classes() const { return masks_.classes(); }
  // From any thread. Error where the facts tell a failure, or when the file has changed since.
  std::shared_ptr<const LoadedImage> get(int64_t i) const;
  uint64_t hash() const;  // of everything in it: names, pixels, classes
  // What it takes at most: the images that are kept, and where not all are, one that every thread is just decoding
  // (with the file's bytes and the decoder's own copy, as large again).
  size_t bytes() const;

 private:
  LoadedImage load(int64_t i, MaskReader::Unmapped& unmapped) const;
  std::vector<ImageFile> images_;
  MaskReader masks_;
  int channels_;
  std::vector<ImageFacts> facts_;
  std::vector<std::shared_ptr<const LoadedImage>> kept_;
};

// Equal numbers for images of equal pixels, in the order of the images, from 0.
std::vector<int64_t> group_equal(const std::vector<ImageFacts>& facts);

// Over these of the store's images: the pixels of each class; height and width, each the median (0 of none).
std::vector<int64_t> class_counts(const ImageStore& store, std::span<const int64_t> which);
ImageSize median_size(const ImageStore& store, std::span<const int64_t> which);

}  // namespace kern::data
