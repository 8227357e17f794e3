#include "data/prepared_images.h"

namespace kern::data {

PreparedImages::PreparedImages(std::shared_ptr<const ImageStore> store, const Preprocess& chain, size_t budget)
    : store_(std::move(store)), chain_(chain), left_(budget), kept_(store_->images().size()) {}

std::shared_ptr<const Raster<float>> PreparedImages::get(int64_t i, double blur) const {
  const auto make = [&] { return std::make_shared<const Raster<float>>(prepare(store_->get(i)->image, chain_, blur)); };
  if (blur >= 0) return make();
  {
    const std::lock_guard lock(mutex_);
    if (const auto& kept = kept_[size_t(i)]) return kept;
  }
  const auto made = make();
  const std::lock_guard lock(mutex_);
  const size_t bytes = made->pixels.size() * sizeof(float);
  if (!kept_[size_t(i)] && bytes <= left_) {
    left_ -= bytes;
    kept_[size_t(i)] = made;
  }
  return made;
}

}  // namespace kern::data
