#include "data/image_batches.h"

#include <algorithm>

#include "kernels/common/error.h"

namespace kern::data {

ImageBatches::ImageBatches(std::shared_ptr<const ImageStore> store, std::vector<int64_t> which,
                           const ImageBatchOptions& options)
    : store_(std::move(store)), which_(std::move(which)), options_(options) {
  check(options.batch >= 1, "images: batch=", options.batch, " is not 1 or more");
  check(!which_.empty(), "images: there are no images to make batches of");
  check((options.H == 0) == (options.W == 0) && options.H >= 0 && options.W >= 0, "images: ", options.W, " x ",
        options.H, " is not the size of an image");
  if (options.H > 0) return;
  const ImageFile& first = store_->images()[size_t(which_.front())];
  options_.H = first.H, options_.W = first.W;
  for (const int64_t i : which_) {
    const ImageFile& p = store_->images()[size_t(i)];
    check(p.H == first.H && p.W == first.W, "the images differ in size: ", first.id, " is ", first.W, " x ", first.H,
          ", ", p.id, " ", p.W, " x ", p.H, "; set size=HEIGHT,WIDTH to what a batch shall have");
  }
}

namespace {

// A label of pixels that are there and have none: so that geometry tells them from what lies outside the image.
constexpr uint8_t kWithoutClass = 254;
static_assert(kWithoutClass >= kMaxImageClasses && kWithoutClass != kIgnoredPixel);

LoadedImage with_all_labelled(LoadedImage p) {
  if (p.labels.H == 0) p.labels = make_raster(p.image.H, p.image.W, 1, kIgnoredPixel);
  std::ranges::replace(p.labels.pixels, kIgnoredPixel, kWithoutClass);
  return p;
}

}  // namespace

ImageBatches::Epoch ImageBatches::epoch(int64_t number) const {
  check(number >= 0, "images: epoch ", number, " is not 0 or more");
  Epoch epoch{uint32_t(number), which_};
  if (options_.shuffle) {
    RandomSequence random(options_.seed, RandomStream::shuffle, epoch.number);
    random.shuffle(std::span<int64_t>(epoch.order));
  }
  return epoch;
}

ImageSample ImageBatches::sample(uint32_t epoch, int64_t image) const {
  RandomSequence random(options_.seed, RandomStream::augment, epoch, uint32_t(image));
  const auto loaded = store_->get(image);
  return make_sample(options_.present ? with_all_labelled(*loaded) : *loaded, options_.fit, options_.H, options_.W,
                     options_.shuffle ? &options_.augmentation : nullptr, random);
}

ImageBatch ImageBatches::batch(const Epoch& epoch, int64_t index, const Share& share) const {
  check(index >= 0 && index < size(), "images: batch ", index, " of an epoch of ", size());
  const int64_t begin = index * options_.batch, samples = std::min(options_.batch, images() - begin);
  const auto part = share.of(samples);
  ImageBatch out{.N = part.size(), .H = options_.H, .W = options_.W, .C = channels(), .whole = {samples, part.lent}};
  out.inputs.reserve(size_t(out.N * out.H * out.W * out.C));
  out.labels.reserve(size_t(out.N * out.H * out.W));
  for (int64_t i = begin + part.first; i < begin + part.last; ++i) {
    const int64_t image = epoch.order[size_t(i)];
    ImageSample s = sample(epoch.number, image);
    if (options_.present)
      for (int32_t& label : s.labels) {
        out.present.push_back(label < 0 ? -1 : 0);
        if (label == kWithoutClass) label = -1;
      }
    if (options_.strong) {
      // b: no image of the stream, whose numbers are far smaller
      RandomSequence random(options_.seed, RandomStream::augment, epoch.number, ~uint32_t(image));
      const auto add_view = [&](std::vector<float>& inputs, std::vector<int32_t>& origin) {
        const ImageView view = strong_view(s, *options_.strong, random);
        inputs.insert(inputs.end(), view.inputs.begin(), view.inputs.end());
        origin.insert(origin.end(), view.origin.begin(), view.origin.end());
      };
      add_view(out.strong, out.origin);
      if (options_.strong_views > 1) add_view(out.strong2, out.origin2);
    }
    out.inputs.insert(out.inputs.end(), s.inputs.begin(), s.inputs.end());
    out.labels.insert(out.labels.end(), s.labels.begin(), s.labels.end());
    out.images.push_back(image);
  }
  return out;
}

}  // namespace kern::data
