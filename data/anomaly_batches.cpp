#include "data/anomaly_batches.h"

#include <algorithm>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {

double random_blur(uint64_t seed, uint32_t a, uint32_t b) {
  return RandomSequence(seed, RandomStream::augment, a, b).uniform(0.1, 2);
}

AnomalyBatches::AnomalyBatches(std::shared_ptr<const PreparedImages> images, std::vector<int64_t> which,
                               const AnomalyBatchOptions& options)
    : prepared_(std::move(images)), which_(std::move(which)), options_(options) {
  check(options.batch >= 1, "a batch holds at least one image, got batch=", options.batch);
  check(!which_.empty(), "there are no images to make batches of");
  const std::vector<ImageFile>& all = prepared_->store().images();
  const ImageFile& first = all[size_t(which_.front())];
  size_ = prepared_size({first.H, first.W}, prepared_->chain());
  for (const int64_t i : which_) {
    const ImageFile& p = all[size_t(i)];
    check(prepared_size({p.H, p.W}, prepared_->chain()) == size_, "the images differ in size: ", first.id, " is ",
          first.W, " x ", first.H, ", ", p.id, " ", p.W, " x ", p.H,
          "; set size=HEIGHT,WIDTH to what the model shall see");
  }
}

AnomalyBatches::Epoch AnomalyBatches::epoch(int64_t number) const {
  Epoch epoch{uint32_t(number), which_};
  RandomSequence random(options_.seed, RandomStream::shuffle, epoch.number);
  random.shuffle(std::span<int64_t>(epoch.order));
  return epoch;
}

AnomalyBatch AnomalyBatches::batch(const Epoch& epoch, int64_t index, const Share& share) const {
  check(index >= 0 && index < size(), "batch ", index, " of an epoch of ", size());
  const int64_t begin = index * options_.batch, samples = std::min(options_.batch, images() - begin);
  const auto part = share.of(samples);
  AnomalyBatch out{.N = part.size(),
                   .H = size_.H,
                   .W = size_.W,
                   .C = prepared_->chain().channels,
                   .inputs = {},
                   .whole = {samples, part.lent}};
  out.inputs.reserve(size_t(out.N * out.H * out.W * out.C));
  for (int64_t i = begin + part.first; i < begin + part.last; ++i) {
    const int64_t image = epoch.order[size_t(i)];
    const double blur = options_.random_blur ? random_blur(options_.seed, epoch.number, uint32_t(image)) : -1;
    const auto prepared = prepared_->get(image, blur);
    out.inputs.insert(out.inputs.end(), prepared->pixels.begin(), prepared->pixels.end());
  }
  return out;
}

}  // namespace kern::data
