// A store's images as a chain prepares them for a network: made once, kept where memory allows.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "data/image_store.h"
#include "data/preprocess.h"

namespace kern::data {

class PreparedImages {
 public:
  // Keeps the first ones asked for, of up to `budget` bytes.
  PreparedImages(std::shared_ptr<const ImageStore> store, const Preprocess& chain, size_t budget = size_t{1} << 30);
  const ImageStore& store() const { return *store_; }
  const Preprocess& chain() const { return chain_; }
  // prepare() of image i of the store, from any thread. With a blur of its own it is made anew. Errors: the store's.
  std::shared_ptr<const Raster<float>> get(int64_t i, double blur = -1) const;

 private:
  std::shared_ptr<const ImageStore> store_;
  Preprocess chain_;
  mutable std::mutex mutex_;
  mutable size_t left_;
  mutable std::vector<std::shared_ptr<const Raster<float>>> kept_;
};

}  // namespace kern::data
