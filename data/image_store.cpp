#include "data/image_store.h"

#include <algorithm>
#include <map>

#include "engine/statistics.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::data {
namespace {

class Hash {  // FNV-1a over bytes: told apart, not secured
 public:
  void add(uint8_t byte) { h_ = (h_ ^ byte) * 0x100000001b3; }
  void add(uint64_t word) {
    for (int i = 0; i < 8; ++i) add(uint8_t(word >> (8 * i)));
  }
  uint64_t value() const { return h_; }

 private:
  uint64_t h_ = 0xcbf29ce484222325;
};

uint64_t hash_of(const Image& image) {
  Hash h;
  for (const int64_t n : {image.H, image.W, image.C}) h.add(uint64_t(n));
  for (const uint8_t v : image.pixels) h.add(v);
  return h.value();
}

// dHash (Krawetz 2013): a bit where a pixel of the 9 x 8 grey miniature is brighter than its right neighbour.
uint64_t likeness_of(const Image& image) {
  const Image small = resize(image, 8, 9);
  auto grey = [&](int64_t y, int64_t x) {
    int sum = 0;
    for (int64_t c = 0; c < small.C; ++c) sum += small.at(y, x)[c];
    return sum;
  };
  uint64_t bits = 0;
  for (int64_t y = 0; y < 8; ++y)
    for (int64_t x = 0; x < 8; ++x) bits = bits << 1 | uint64_t(grey(y, x) > grey(y, x + 1));
  return bits;
}

}  // namespace

size_t ImageStore::bytes() const {
  size_t kept = 0, largest = 0;
  bool all = true;
  for (size_t i = 0; i < images_.size(); ++i) {
    const size_t own = size_t(images_[i].H * images_[i].W) * size_t(channels_ + 1);
    if (kept_[i]) kept += own;
    else if (facts_[i].failure.empty()) all = false, largest = std::max(largest, 2 * own);
  }
  return kept + (all ? 0 : largest * size_t(thread_count()));
}

ImageStore::ImageStore(std::vector<ImageFile> images, MaskReader masks, int channels, size_t budget)
    : images_(std::move(images)),
      masks_(std::move(masks)),
      channels_(channels),
      facts_(images_.size()),
      kept_(images_.size()) {
  std::vector<char> keep(images_.size(), 0);
  size_t used = 0;
  for (size_t i = 0; i < images_.size(); ++i) {
    used += size_t(images_[i].H * images_[i].W) * size_t(channels_ + 1);
    keep[i] = used <= budget;
  }
  kernels::parallel_for(int64_t(images_.size()), 1, [&](int64_t begin, int64_t) {
    const size_t i = size_t(begin);
    ImageFacts& facts = facts_[i];
    try {
      auto loaded = std::make_shared<LoadedImage>(load(begin, facts.unmapped));
      facts.H = loaded->image.H, facts.W = loaded->image.W;
      facts.hash = hash_of(loaded->image);
      facts.likeness = likeness_of(loaded->image);
      if (!images_[i].mask.empty()) {
        facts.class_pixels.assign(size_t(masks_.classes()), 0);
        for (const uint8_t k : loaded->labels.pixels)
          k == kIgnoredPixel ? ++facts.ignored_pixels : ++facts.class_pixels[k];
      }
      if (keep[i]) kept_[i] = std::move(loaded);
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      facts.failure = e.sentence();
    }
  });
}

LoadedImage ImageStore::load(int64_t i, MaskReader::Unmapped& unmapped) const {
  const ImageFile& p = images_[size_t(i)];
  LoadedImage out{.image = read_image(p.image, channels_), .labels = {}};
  if (!p.mask.empty()) {
    out.labels = masks_.read(p.mask, &unmapped);
    check(out.labels.H == out.image.H && out.labels.W == out.image.W, "mask ", p.mask.string(), " is ", out.labels.W,
          " x ", out.labels.H, ", its image ", out.image.W, " x ", out.image.H, ": they must show the same");
  }
  return out;
}

std::shared_ptr<const LoadedImage> ImageStore::get(int64_t i) const {
  if (kept_.at(size_t(i))) return kept_[size_t(i)];
  MaskReader::Unmapped unmapped;
  return std::make_shared<LoadedImage>(load(i, unmapped));
}

uint64_t ImageStore::hash() const {
  Hash h;
  for (size_t i = 0; i < images_.size(); ++i) {
    for (const char c : images_[i].id) h.add(uint8_t(c));
    h.add(facts_[i].hash);
    for (const int64_t n : facts_[i].class_pixels) h.add(uint64_t(n));
  }
  return h.value();
}

std::vector<int64_t> group_equal(const std::vector<ImageFacts>& facts) {
  std::map<uint64_t, int64_t> number;
  std::vector<int64_t> group;
  for (const ImageFacts& f : facts) group.push_back(number.emplace(f.hash, int64_t(number.size())).first->second);
  return group;
}

std::vector<int64_t> class_counts(const ImageStore& store, std::span<const int64_t> which) {
  std::vector<int64_t> counts(size_t(store.classes()), 0);
  for (const int64_t i : which)
    for (size_t k = 0; k < store.facts()[size_t(i)].class_pixels.size(); ++k)
      counts[k] += store.facts()[size_t(i)].class_pixels[k];
  return counts;
}

ImageSize median_size(const ImageStore& store, std::span<const int64_t> which) {
  if (which.empty()) return {};
  std::vector<int64_t> h, w;
  for (const int64_t i : which) h.push_back(store.facts()[size_t(i)].H), w.push_back(store.facts()[size_t(i)].W);
  return {median_high(h), median_high(w)};
}

}  // namespace kern::data
