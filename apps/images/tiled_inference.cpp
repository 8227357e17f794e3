// How an image of any size goes through a network, and its probabilities come out: whole, or in tiles that are blended
// and given away row by row.
#include <algorithm>
#include <cmath>

#include "apps/images/images_model.h"
#include "engine/autograd.h"
#include "engine/ops/softmax.h"
#include "engine/ops/unary.h"
#include "kernels/common/parallel.h"

namespace kern::apps {
namespace {

constexpr int64_t kMaxAtOnce = int64_t(1) << 22;  // pixels that go through the network in one piece, unasked

// Probabilities [h,w,K] of the part of the image at (y, x), mirrored on the way in and back on the way out.
std::vector<float> pass(const ImagesModel& model, const data::Image& image, int64_t y, int64_t x, int64_t h, int64_t w,
                        bool across, bool down) {
  const int64_t C = image.C, K = model.class_count();
  auto there = [&](int64_t i, int64_t j) { return (down ? h - 1 - i : i) * w + (across ? w - 1 - j : j); };
  std::vector<float> inputs(size_t(h * w * C));
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j)
      for (int64_t c = 0; c < C; ++c) inputs[size_t(there(i, j) * C + c)] = float(image.at(y + i, x + j)[c]) / 255;
  const NoGrad off;
  model.module.set_training(false);
  const Tensor logits = model.module(Tensor::from({1, h, w, C}, inputs).to(model.module.device()));
  const bool one = model.network.out == 1;
  const std::vector<float> given = one ? sigmoid(logits).values() : softmax(logits).values();
  std::vector<float> out(size_t(h * w * K));
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) {
      const int64_t from = there(i, j);
      float* to = out.data() + (i * w + j) * K;
      if (one) to[0] = 1 - given[size_t(from)], to[1] = given[size_t(from)];
      else std::copy_n(given.begin() + from * K, K, to);
    }
  return out;
}

// The mean over the mirrored passes asked for.
std::vector<float> pass_all(const ImagesModel& model, const data::Image& image, int64_t y, int64_t x, int64_t h,
                            int64_t w, TestTimeFlips flips) {
  std::vector<float> sum = pass(model, image, y, x, h, w, false, false);
  float passes = 1;
  auto more = [&](bool across, bool down) {
    const std::vector<float> p = pass(model, image, y, x, h, w, across, down);
    for (size_t i = 0; i < p.size(); ++i) sum[i] += p[i];
    ++passes;
  };
  if (flips != TestTimeFlips::none) more(true, false);
  if (flips == TestTimeFlips::both) more(false, true), more(true, true);
  for (float& v : sum) v /= passes;
  return sum;
}

// [h,w,K] linearly to rows of [H,W,K], a band at a time.
void give_scaled(const std::vector<float>& p, int64_t h, int64_t w, int64_t H, int64_t W, int64_t K,
                 const RowsOfProbabilities& give) {
  struct Place {
    int64_t low, high;
    float f;
  };
  auto place = [](int64_t i, int64_t from, int64_t to) {
    const double at = std::clamp((double(i) + 0.5) * double(from) / double(to) - 0.5, 0.0, double(from - 1));
    const auto low = int64_t(at);
    return Place{low, std::min(low + 1, from - 1), float(at - double(low))};
  };
  std::vector<Place> columns;
  for (int64_t x = 0; x < W; ++x) columns.push_back(place(x, w, W));
  std::vector<float> row(size_t(W * K));
  for (int64_t y = 0; y < H; ++y) {
    const Place r = place(y, h, H);
    for (int64_t x = 0; x < W; ++x) {
      const Place& c = columns[size_t(x)];
      for (int64_t k = 0; k < K; ++k) {
        auto at = [&](int64_t i, int64_t j) { return p[size_t((i * w + j) * K + k)]; };
        const float top = at(r.low, c.low) + c.f * (at(r.low, c.high) - at(r.low, c.low));
        const float bottom = at(r.high, c.low) + c.f * (at(r.high, c.high) - at(r.high, c.low));
        row[size_t(x * K + k)] = top + r.f * (bottom - top);
      }
    }
    give(y, 1, row);
  }
}

// Where tiles of `tile` begin so that they cover `length`, each overlapping the next by at least that share.
std::vector<int64_t> tile_starts(int64_t length, int64_t tile, double overlap) {
  const int64_t step = std::max<int64_t>(1, std::llround(double(tile) * (1 - overlap)));
  std::vector<int64_t> starts;
  for (int64_t s = 0; s + tile < length; s += step) starts.push_back(s);
  starts.push_back(length - tile);
  return starts;
}

// A tile's middle counts most: a Gaussian of a quarter of the tile's width.
std::vector<float> blend_weights(int64_t n) {
  std::vector<float> w;
  for (int64_t i = 0; i < n; ++i) {
    const double d = (double(i) - double(n - 1) / 2) / (0.25 * double(n));
    w.push_back(float(std::exp(-0.5 * d * d)));
  }
  return w;
}

void give_tiled(const ImagesModel& model, const data::Image& image, const InferenceOptions& inference,
                const RowsOfProbabilities& give) {
  const int64_t h = std::min<int64_t>(model.H, image.H), w = std::min<int64_t>(model.W, image.W), W = image.W,
                K = model.class_count();
  const std::vector<int64_t> rows = tile_starts(image.H, h, inference.overlap),
                             columns = tile_starts(W, w, inference.overlap);
  const std::vector<float> down = blend_weights(h), along = blend_weights(w);
  // The band of rows that the present row of tiles covers.
  std::vector<float> sum(size_t(h * W * K), 0), weight(size_t(h * W), 0);
  for (size_t r = 0; r < rows.size(); ++r) {
    for (const int64_t x : columns) {
      const std::vector<float> p = pass_all(model, image, rows[r], x, h, w, inference.flips);
      for (int64_t i = 0; i < h; ++i)
        for (int64_t j = 0; j < w; ++j) {
          const float f = down[size_t(i)] * along[size_t(j)];
          const int64_t at = i * W + x + j;
          weight[size_t(at)] += f;
          for (int64_t k = 0; k < K; ++k) sum[size_t(at * K + k)] += f * p[size_t((i * w + j) * K + k)];
        }
    }
    const int64_t done = (r + 1 < rows.size() ? rows[r + 1] : image.H) - rows[r];  // no later tile covers these
    for (int64_t at = 0; at < done * W; ++at)
      for (int64_t k = 0; k < K; ++k) sum[size_t(at * K + k)] /= weight[size_t(at)];
    give(rows[r], done, std::span<const float>(sum).first(size_t(done * W * K)));
    std::copy(sum.begin() + done * W * K, sum.end(), sum.begin());
    std::fill(sum.end() - done * W * K, sum.end(), 0.0f);
    std::copy(weight.begin() + done * W, weight.end(), weight.begin());
    std::fill(weight.end() - done * W, weight.end(), 0.0f);
  }
}

}  // namespace

Way way_of(const ImagesModel& model, const data::Image& image, Window window) {
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

std::optional<data::ImageSize> whole_pass(const ImagesModel& model, const data::Image& image,
                                          const InferenceOptions& inference) {
  if (inference.flips != TestTimeFlips::none) return {};
  switch (way_of(model, image, inference.window)) {
    case Way::whole:
      return data::ImageSize{image.H, image.W};
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
                   const RowsOfProbabilities& give) {
  internal_check(image.C == model.network.in, "an image of other channels than the network's");
  const int64_t K = model.class_count();
  switch (way_of(model, image, inference.window)) {
    case Way::tiles:
      return give_tiled(model, image, inference, give);
    case Way::whole:
      return give(0, image.H, pass_all(model, image, 0, 0, image.H, image.W, inference.flips));
    case Way::squeezed: {
      const data::Image small = data::resize(image, model.H, model.W);
      const std::vector<float> p = pass_all(model, small, 0, 0, model.H, model.W, inference.flips);
      if (image.H == model.H && image.W == model.W) return give(0, image.H, p);
      return give_scaled(p, model.H, model.W, image.H, image.W, K, give);
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
      return give_scaled(p, h, w, image.H, image.W, K, give);
    }
  }
}

}  // namespace kern::apps
