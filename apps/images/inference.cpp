// How an image of any size goes through a network, and its probabilities come out: whole, scaled, or in tiles.
#include <algorithm>
#include <cmath>
#include <functional>

#include "apps/images/images_model.h"
#include "engine/autograd.h"
#include "engine/ops/softmax.h"
#include "engine/ops/unary.h"
#include "kernels/common/log.h"
#include "kernels/common/parallel.h"
#include "training/segmentation.h"

namespace kern::apps {
namespace {
using training::Mirrored;

constexpr int64_t kMaxAtOnce = int64_t(1) << 22;  // pixels that go through the network in one piece, unasked

std::vector<Mirrored> passes_of(TestTimeFlips flips) {
  std::vector<Mirrored> passes{{}};
  if (flips != TestTimeFlips::none) passes.push_back({.across = true});
  if (flips == TestTimeFlips::both) passes.insert(passes.end(), {{.down = true}, {.across = true, .down = true}});
  return passes;
}

// Probabilities [h,w,K] of an image shown to the network at that size and mirrored, as `flips` says.
std::vector<float> pass(const ImagesModel& model, const data::Image& image, int64_t h, int64_t w, TestTimeFlips flips) {
  const bool same = image.H == h && image.W == w;
  const data::Image scaled = same ? data::Image() : data::resize(image, h, w);
  const std::vector<uint8_t>& pixels = same ? image.pixels : scaled.pixels;
  std::vector<float> inputs(pixels.size());
  std::transform(pixels.begin(), pixels.end(), inputs.begin(), [](uint8_t v) { return float(v) / 255; });
  return training::probabilities_of(model.module, inputs, h, w, model.class_count(), passes_of(flips));
}

// The mean over the scales of that size. Each sees the image's own pixels: a magnified pass more of them, where the
// image has more.
std::vector<float> passes(const ImagesModel& model, const data::Image& image, int64_t h, int64_t w,
                          const InferenceOptions& inference) {
  check(!inference.scales.empty(),
        "scales= names no size at which an image is looked at: give at least one, 1 for its own");
  std::vector<float> sum;
  for (const double scale : inference.scales) {
    const auto scaled = [scale](int64_t n) { return std::max<int64_t>(1, std::llround(double(n) * scale)); };
    std::vector<float> p = pass(model, image, scaled(h), scaled(w), inference.flips);
    if (scaled(h) != h || scaled(w) != w) {
      std::vector<float> back;
      back.reserve(size_t(h * w * model.class_count()));
      training::give_scaled(
          p, scaled(h), scaled(w), h, w, model.class_count(),
          [&](int64_t, int64_t, std::span<const float> rows) { back.insert(back.end(), rows.begin(), rows.end()); });
      p = std::move(back);
    }
    if (sum.empty()) sum = std::move(p);
    else std::transform(sum.begin(), sum.end(), p.begin(), sum.begin(), std::plus<>());
  }
  if (inference.scales.size() > 1)
    for (float& v : sum) v /= float(inference.scales.size());
  return sum;
}

// The part of an image at (y, x).
data::Image part_of(const data::Image& image, int64_t y, int64_t x, int64_t h, int64_t w) {
  data::Image part = data::make_raster(h, w, image.C);
  for (int64_t i = 0; i < h; ++i) std::copy_n(image.at(y + i, x), w * image.C, part.at(i, 0));
  return part;
}

void give_tiled(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference,
                const training::RowsOfProbabilities& give) {
  const int64_t h = std::min<int64_t>(model.H, image.H), w = std::min<int64_t>(model.W, image.W);
  training::blend_tiles(
      {.H = image.H, .W = image.W, .h = h, .w = w, .overlap = inference.overlap}, model.class_count(),
      [&](int64_t y, int64_t x) { return passes(model, part_of(image, y, x, h, w), h, w, inference); }, give);
}

}  // namespace

Way way_of(const ImagesModel& model, data::ImageSize image, Window window) {
  if (window == Window::tiles) return Way::tiles;
  const bool scaled = !model.own_size && model.fit == data::Fit::scale;
  if (window == Window::whole) return scaled ? Way::squeezed : Way::whole;
  if (model.fit == data::Fit::crop) return Way::tiles;
  if (model.own_size) return image.H * image.W > kMaxAtOnce ? Way::tiles : Way::whole;
  const bool known = model.seen_H > 0 && model.seen_W > 0;
  constexpr int64_t kMuch = 2;
  const bool larger = known && (image.H > kMuch * model.seen_H || image.W > kMuch * model.seen_W);
  return larger ? Way::scaled_tiles : Way::squeezed;
}

std::optional<data::ImageSize> whole_pass(const ImagesModel& model, data::ImageSize image,
                                          const InferenceOptions& inference) {
  if (!inference.once()) return {};
  switch (way_of(model, image, inference.window)) {
    case Way::whole:
      return image;
    case Way::squeezed:
      return data::ImageSize{model.H, model.W};
    case Way::tiles:
    case Way::scaled_tiles:
      break;
  }
  return {};
}

Tensor pass_together(const ImagesModel& model, std::span<const data::Image* const> images, data::ImageSize size) {
  const auto N = int64_t(images.size()), each = size.H * size.W * int64_t(model.network.in);
  std::vector<float> inputs(size_t(N * each));
  kernels::parallel_for(N, 1, [&](int64_t n, int64_t) {
    const data::Image& given = *images[size_t(n)];
    internal_check(given.C == model.network.in, "an image of other channels than the network's");
    const bool same = given.H == size.H && given.W == size.W;
    const data::Image scaled = same ? data::Image() : data::resize(given, size.H, size.W);
    const std::vector<uint8_t>& pixels = same ? given.pixels : scaled.pixels;
    std::transform(pixels.begin(), pixels.end(), inputs.begin() + n * each, [](uint8_t v) { return float(v) / 255; });
  });
  const NoGrad off;
  model.module.set_training(false);
  const Tensor logits =
      model.module(Tensor::from({N, size.H, size.W, model.network.in}, inputs).to(model.module.device()));
  return model.network.out == 1 ? sigmoid(logits) : softmax(logits);
}

void predict_image(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference,
                   const training::RowsOfProbabilities& give) {
  internal_check(image.C == model.network.in, "an image of other channels than the network's");
  const int64_t K = model.class_count();
  switch (way_of(model, {image.H, image.W}, inference.window)) {
    case Way::tiles:
      return give_tiled(model, image, inference, give);
    case Way::whole:
      return give(0, image.H, passes(model, image, image.H, image.W, inference));
    case Way::squeezed: {
      const std::vector<float> p = passes(model, image, model.H, model.W, inference);
      if (image.H == model.H && image.W == model.W) return give(0, image.H, p);
      return training::give_scaled(p, model.H, model.W, image.H, image.W, K, give);
    }
    case Way::scaled_tiles: {
      // What it shows is then as large as it was in training.
      const auto scaled = [](int64_t n, int trained, int seen) {
        return std::max<int64_t>(trained, std::llround(double(n) * double(trained) / double(seen)));
      };
      const int64_t h = scaled(image.H, model.H, model.seen_H), w = scaled(image.W, model.W, model.seen_W);
      std::vector<float> p;
      p.reserve(size_t(h * w * K));
      give_tiled(model, data::resize(image, int(h), int(w)), inference,
                 [&](int64_t, int64_t, std::span<const float> rows) { p.insert(p.end(), rows.begin(), rows.end()); });
      return training::give_scaled(p, h, w, image.H, image.W, K, give);
    }
  }
}

data::Labels label_image(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference,
                         double threshold, const std::string& name, const training::RowsOfProbabilities& give) {
  const Way way = way_of(model, {image.H, image.W}, inference.window);
  if (way == Way::scaled_tiles)
    inform(name, ": ", image.W, " x ", image.H, " pixels, where the training images had ", model.seen_W, " x ",
           model.seen_H,
           " before they were scaled: it is scaled as they were and goes through the network in tiles "
           "(window=whole squeezes it)");
  else if (!model.own_size && model.seen_H == 0 && image.H * image.W > 16 * int64_t{model.H} * model.W &&
           way == Way::squeezed)
    warn(name, ": ", image.W, " x ", image.H, " pixels are squeezed to ", model.W, " x ", model.H,
         ", and this older model does not say how large its training images were: small things vanish; window=tiles "
         "keeps them");
  const auto K = size_t(model.class_count());
  data::Labels labels = data::make_raster(image.H, image.W, 1);
  predict_image(model, image, inference, [&](int64_t row, int64_t rows, std::span<const float> p) {
    for (int64_t at = 0; at < rows * image.W; ++at)
      labels.at(row, 0)[at] = uint8_t(training::choose_class(p.subspan(size_t(at) * K, K), threshold));
    if (give) give(row, rows, p);
  });
  return labels;
}

}  // namespace kern::apps
