// The decoded pictures and masks of a data set: read once, kept where memory allows, otherwise decoded again.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/image_folder.h"
#include "data/masks.h"

namespace kern::data {

struct LoadedPicture {
  Image image;    // 8 bits, as many channels as the store says
  Labels labels;  // of the image's size; without pixels where there is no mask
};

// What reading a picture told of it.
struct PictureFacts {
  std::string failure;  // why it cannot be used; empty: it can
  int64_t H = 0, W = 0;
  uint64_t hash = 0;                  // of its pixels: equal pictures, equal hash
  uint64_t likeness = 0;              // perceptual (dHash): near pictures differ in few bits
  std::vector<int64_t> class_pixels;  // of the mask; empty without one
  int64_t ignored_pixels = 0;
  MaskReader::Unmapped unmapped;  // mask values that no class has; their pixels are ignored
};

class ImageStore {
 public:
  // Reads every picture and mask, on all threads; keeps the first ones of up to `budget` bytes. What cannot be read is
  // told by its facts. channels: 1 grey or 3 colours.
  ImageStore(std::vector<Picture> pictures, MaskReader masks, int channels, size_t budget);
  const std::vector<Picture>& pictures() const { return pictures_; }
  const std::vector<PictureFacts>& facts() const { return facts_; }
  int channels() const { return channels_; }
  int classes() const { return masks_.classes(); }
  // From any thread. Error where the facts tell a failure, or when the file has changed since.
  std::shared_ptr<const LoadedPicture> get(int64_t i) const;
  uint64_t hash() const;  // of everything in it: names, pixels, classes
  // What it takes at most: the pictures that are kept, and where not all are, one that every thread is just decoding
  // (with the file's bytes and the decoder's own copy, as large again).
  size_t bytes() const;

 private:
  LoadedPicture load(int64_t i, MaskReader::Unmapped& unmapped) const;
  std::vector<Picture> pictures_;
  MaskReader masks_;
  int channels_;
  std::vector<PictureFacts> facts_;
  std::vector<std::shared_ptr<const LoadedPicture>> kept_;
};

// Equal numbers for pictures of equal pixels, in the order of the pictures, from 0.
std::vector<int64_t> group_equal(const std::vector<PictureFacts>& facts);

}  // namespace kern::data
