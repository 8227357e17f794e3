// Batches of images for 2-D networks, in an order that depends on (seed, epoch) alone; each image's changes depend
// on (seed, epoch, image).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "data/image_augment.h"
#include "data/share.h"

namespace kern::data {

struct ImageBatch {
  int64_t N = 0, H = 0, W = 0, C = 0;
  std::vector<float> inputs;     // [N,H,W,C], 0 to 1
  std::vector<int32_t> labels;   // [N,H,W] class or -1
  std::vector<int64_t> images;   // [N] index into the store
  std::vector<int32_t> present;  // [N,H,W] where asked for: 0, or -1 outside the image
  std::vector<float> strong;     // [N,H,W,C] the strong view, where one was asked for
  std::vector<int32_t> origin;   // [N,H,W] the position of the inputs that each of its positions shows, -1: none
  std::vector<float> strong2;    // a second strong view, where two were asked for
  std::vector<int32_t> origin2;
  Whole whole;
};

struct ImageBatchOptions {
  int64_t batch = 8;
  int64_t H = 0, W = 0;  // 0: the images' own, which must then be one size
  Fit fit = Fit::scale;
  bool shuffle = true;
  uint64_t seed = 0;
  ImageAugmentation augmentation;
  bool present = false;                     // batches say where there is an image
  std::optional<ImageAugmentation> strong;  // a second view of every image, made from the augmented one
  int strong_views = 1;                     // 2: a third view, made likewise by other numbers
};

// Batches can be asked for in any order and from several threads.
class ImageBatches {
 public:
  // `which` of the store's images. Error: no images, options out of range, sizes that differ without H and W.
  ImageBatches(std::shared_ptr<const ImageStore> store, std::vector<int64_t> which, const ImageBatchOptions& options);
  int64_t size() const { return (images() + options_.batch - 1) / options_.batch; }  // batches an epoch
  int64_t images() const { return int64_t(which_.size()); }
  int64_t H() const { return options_.H; }
  int64_t W() const { return options_.W; }
  int64_t channels() const { return store_->channels(); }
  struct Epoch {
    uint32_t number = 0;
    std::vector<int64_t> order;  // of the store's images
  };
  Epoch epoch(int64_t number) const;
  ImageBatch batch(const Epoch& epoch, int64_t index, const Share& share = {}) const;
  // One image as it comes in an epoch.
  ImageSample sample(uint32_t epoch, int64_t image) const;

 private:
  std::shared_ptr<const ImageStore> store_;
  std::vector<int64_t> which_;
  ImageBatchOptions options_;
};

}  // namespace kern::data
