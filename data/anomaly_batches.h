// Batches of prepared images for auto-encoders, in an order that depends on (seed, epoch) alone.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "data/prepared_images.h"
#include "data/share.h"

namespace kern::data {

struct AnomalyBatch {
  int64_t N = 0, H = 0, W = 0, C = 0;
  std::vector<float> inputs;  // [N,H,W,C], 0 to 1
  Whole whole;
};

// The deviation of a blur drawn at random, from 0.1 to 2, as the originals drew it: `a` and `b` select the draw.
double random_blur(uint64_t seed, uint32_t a, uint32_t b);

struct AnomalyBatchOptions {
  int64_t batch = 128;
  uint64_t seed = 0;
  bool random_blur = false;  // drawn for each image and epoch, in place of the chain's own
};

// What data::DataLoader takes. Batches can be asked for in any order and from several threads.
class AnomalyBatches {
 public:
  // `which` of the store's images, all of which the chain brings to one size. Errors: no images, sizes that differ.
  AnomalyBatches(std::shared_ptr<const PreparedImages> images, std::vector<int64_t> which,
                 const AnomalyBatchOptions& options);
  int64_t size() const { return (images() + options_.batch - 1) / options_.batch; }  // batches an epoch
  int64_t images() const { return int64_t(which_.size()); }
  ImageSize image_size() const { return size_; }
  int64_t channels() const { return prepared_->chain().channels; }
  struct Epoch {
    uint32_t number = 0;
    std::vector<int64_t> order;  // of the store's images
  };
  Epoch epoch(int64_t number) const;
  AnomalyBatch batch(const Epoch& epoch, int64_t index, const Share& share = {}) const;

 private:
  std::shared_ptr<const PreparedImages> prepared_;
  std::vector<int64_t> which_;
  AnomalyBatchOptions options_;
  ImageSize size_;
};

}  // namespace kern::data
