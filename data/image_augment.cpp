#include "data/image_augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

struct Part {
  int64_t y, x, h, w;
};

// What of the image is shown.
Part choose_part(const Image& image, Fit fit, int64_t H, int64_t W, const ImageAugmentation* a,
                 RandomSequence& random) {
  Part p{0, 0, image.H, image.W};
  if (fit == Fit::crop) p.h = std::min(H, image.H), p.w = std::min(W, image.W);
  if (a && a->crop > 0) {  // of its own shape, within 3/4 and 4/3 of the old
    const double share = random.uniform(1 - a->crop, 1),
                 shape = std::exp(random.uniform(std::log(0.75), std::log(4 / 3.0)));
    const double side = std::sqrt(share);
    p.h = std::clamp<int64_t>(std::llround(double(p.h) * side * std::sqrt(shape)), 1, p.h);
    p.w = std::clamp<int64_t>(std::llround(double(p.w) * side / std::sqrt(shape)), 1, p.w);
  }
  const int64_t free_y = image.H - p.h, free_x = image.W - p.w;
  p.y = a ? int64_t(random.below(uint32_t(free_y + 1))) : free_y / 2;
  p.x = a ? int64_t(random.below(uint32_t(free_x + 1))) : free_x / 2;
  return p;
}

// The pixel at (y, x) of the result is the one at source(y, x) of the raster.
template <class T, class Source>
Raster<T> rearranged(const Raster<T>& from, int64_t H, int64_t W, Source source) {
  Raster<T> out = make_raster<T>(H, W, from.C);
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      const auto [i, j] = source(y, x);
      const T* const pixel = from.at(i, j);
      T* const to = out.at(y, x);
      if (from.C == 3) to[0] = pixel[0], to[1] = pixel[1], to[2] = pixel[2];
      else std::copy_n(pixel, from.C, to);
    }
  return out;
}

// Flips and quarter turns, of image and mask.
template <class T>
Raster<T> turned(const Raster<T>& r, bool horizontal, bool vertical, bool transpose) {
  const int64_t H = transpose ? r.W : r.H, W = transpose ? r.H : r.W;
  return rearranged(r, H, W, [&](int64_t y, int64_t x) {
    int64_t i = transpose ? x : y, j = transpose ? y : x;
    if (vertical) i = r.H - 1 - i;
    if (horizontal) j = r.W - 1 - j;
    return std::pair(i, j);
  });
}

// Rotation, zoom and shift about the middle: where a new pixel comes from.
struct Affine {
  double cos = 1, sin = 0, shift_y = 0, shift_x = 0, middle_y = 0, middle_x = 0;
  std::pair<double, double> operator()(int64_t y, int64_t x) const {
    const double dy = double(y) - middle_y - shift_y, dx = double(x) - middle_x - shift_x;
    return {middle_y + cos * dy - sin * dx, middle_x + sin * dy + cos * dx};
  }
};

Image warped(const Image& image, const Affine& from) {
  Image out = make_raster(image.H, image.W, image.C);
  for (int64_t y = 0; y < out.H; ++y)
    for (int64_t x = 0; x < out.W; ++x) {
      auto [sy, sx] = from(y, x);
      sy = std::clamp(sy, 0.0, double(image.H - 1)), sx = std::clamp(sx, 0.0, double(image.W - 1));
      const auto i = int64_t(sy), j = int64_t(sx);
      const int64_t i1 = std::min(i + 1, image.H - 1), j1 = std::min(j + 1, image.W - 1);
      const double fy = sy - double(i), fx = sx - double(j);
      for (int64_t c = 0; c < image.C; ++c) {
        const double top = image.at(i, j)[c] * (1 - fx) + image.at(i, j1)[c] * fx;
        const double bottom = image.at(i1, j)[c] * (1 - fx) + image.at(i1, j1)[c] * fx;
        out.at(y, x)[c] = uint8_t(std::lround(top * (1 - fy) + bottom * fy));
      }
    }
  return out;
}
Labels warped_labels(const Labels& labels, const Affine& from) {
  Labels out = make_raster(labels.H, labels.W, 1, kIgnoredPixel);
  for (int64_t y = 0; y < out.H; ++y)
    for (int64_t x = 0; x < out.W; ++x) {
      const auto [sy, sx] = from(y, x);
      const auto i = std::lround(sy), j = std::lround(sx);
      if (i >= 0 && i < labels.H && j >= 0 && j < labels.W) *out.at(y, x) = *labels.at(i, j);
    }
  return out;
}

// What moves the pixels of an image: turned, then warped.
struct Motion {
  bool horizontal = false, vertical = false, transpose = false;
  std::optional<Affine> from;
};
Motion draw_motion(int64_t H, int64_t W, const ImageAugmentation& a, RandomSequence& random) {
  Motion m;
  m.horizontal = a.flip_horizontal && random.below(2), m.vertical = a.flip_vertical && random.below(2);
  if (a.rot90) {
    const uint32_t quarters = H == W ? random.below(4) : 2 * random.below(2);
    if (quarters >= 2) m.horizontal = !m.horizontal, m.vertical = !m.vertical;
    if (quarters % 2) m.transpose = true, m.vertical = !m.vertical;
  }
  if (a.rotate <= 0 && a.zoom <= 0 && a.shift <= 0) return m;
  const double angle = random.uniform(-a.rotate, a.rotate) * std::numbers::pi / 180;
  const double scale = 1 / (1 + random.uniform(-a.zoom, a.zoom));
  m.from = Affine{.cos = std::cos(angle) * scale,
                  .sin = std::sin(angle) * scale,
                  .shift_y = random.uniform(-a.shift, a.shift) * double(H),
                  .shift_x = random.uniform(-a.shift, a.shift) * double(W),
                  .middle_y = double(H - 1) / 2,
                  .middle_x = double(W - 1) / 2};
  return m;
}

void change_geometry(LoadedImage& p, const ImageAugmentation& a, RandomSequence& random) {
  const Motion m = draw_motion(p.image.H, p.image.W, a, random);
  if (m.horizontal || m.vertical || m.transpose) {
    p.image = turned(p.image, m.horizontal, m.vertical, m.transpose);
    if (p.labels.H) p.labels = turned(p.labels, m.horizontal, m.vertical, m.transpose);
  }
  if (!m.from) return;
  p.image = warped(p.image, *m.from);
  if (p.labels.H) p.labels = warped_labels(p.labels, *m.from);
}

void blur(ImageSample& s, double deviation) {
  const int64_t radius = int64_t(std::ceil(2.5 * deviation));
  if (deviation < 0.05) return;
  std::vector<float> weight;
  float sum = 0;
  for (int64_t d = -radius; d <= radius; ++d) {
    weight.push_back(float(std::exp(-0.5 * double(d * d) / (deviation * deviation))));
    sum += weight.back();
  }
  auto pass = [&](int64_t count, int64_t stride, int64_t lines, auto first) {
    std::vector<float> line(static_cast<size_t>(count));
    for (int64_t l = 0; l < lines; ++l) {
      float* v = s.inputs.data() + first(l);
      for (int64_t i = 0; i < count; ++i) line[size_t(i)] = v[i * stride];
      for (int64_t i = 0; i < count; ++i) {
        float total = 0;
        for (int64_t d = -radius; d <= radius; ++d)
          total += weight[size_t(d + radius)] * line[size_t(std::clamp<int64_t>(i + d, 0, count - 1))];
        v[i * stride] = total / sum;
      }
    }
  };
  pass(s.W, s.C, s.H * s.C, [&](int64_t l) { return l / s.C * s.W * s.C + l % s.C; });
  pass(s.H, s.W * s.C, s.W * s.C, [](int64_t l) { return l; });
}

void change_colours(ImageSample& s, const ImageAugmentation& a, RandomSequence& random) {
  const int64_t n = s.H * s.W;
  auto factor = [&](double by) { return float(1 + random.uniform(-by, by)); };
  if (a.brightness > 0) {
    const float f = factor(a.brightness);
    for (float& v : s.inputs) v *= f;
  }
  if (a.contrast > 0) {
    const float f = factor(a.contrast);
    double sum = 0;
    for (const float v : s.inputs) sum += v;
    const float mean = float(sum / double(s.inputs.size()));
    for (float& v : s.inputs) v = mean + f * (v - mean);
  }
  if (s.C == 3 && a.saturation > 0) {
    const float f = factor(a.saturation);
    for (int64_t i = 0; i < n; ++i) {
      float* p = s.inputs.data() + 3 * i;
      const float grey = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
      for (int c = 0; c < 3; ++c) p[c] = grey + f * (p[c] - grey);
    }
  }
  if (s.C == 3 && a.hue > 0) {  // a rotation about the grey axis
    const double angle = random.uniform(-a.hue, a.hue) * 2 * std::numbers::pi;
    const float cos = float(std::cos(angle)), third = (1 - cos) / 3, side = float(std::sin(angle) / std::sqrt(3.0));
    for (int64_t i = 0; i < n; ++i) {
      float* p = s.inputs.data() + 3 * i;
      const float r = p[0], g = p[1], b = p[2];
      p[0] = (cos + third) * r + (third - side) * g + (third + side) * b;
      p[1] = (third + side) * r + (cos + third) * g + (third - side) * b;
      p[2] = (third - side) * r + (third + side) * g + (cos + third) * b;
    }
  }
  if (a.blur > 0) blur(s, random.uniform(0, a.blur));
  if (a.noise > 0) {
    const double deviation = random.uniform(0, a.noise);
    for (float& v : s.inputs) v += float(random.normal(0, deviation));
  }
  for (float& v : s.inputs) v = std::clamp(v, 0.0f, 1.0f);
  if (a.cutout > 0) {
    const int64_t h = std::llround(random.uniform(0, a.cutout) * double(s.H)),
                  w = std::llround(random.uniform(0, a.cutout) * double(s.W));
    const int64_t y = random.below(uint32_t(s.H - h + 1)), x = random.below(uint32_t(s.W - w + 1));
    for (int64_t i = y; i < y + h; ++i) std::fill_n(s.inputs.begin() + (i * s.W + x) * s.C, w * s.C, 0.5f);
  }
}

}  // namespace

ImageSample make_sample(const LoadedImage& loaded, Fit fit, int64_t H, int64_t W, const ImageAugmentation* a,
                        RandomSequence& random) {
  const Part p = choose_part(loaded.image, fit, H, W, a, random);
  // An image smaller than the crop fills a part of it.
  const int64_t h = fit == Fit::crop ? std::min(H, loaded.image.H) : H,
                w = fit == Fit::crop ? std::min(W, loaded.image.W) : W;
  LoadedImage cut{resize_part(loaded.image, p.y, p.x, p.h, p.w, h, w), {}};
  if (loaded.labels.H) cut.labels = resize_nearest_part(loaded.labels, p.y, p.x, p.h, p.w, h, w);
  if (h < H || w < W) {
    LoadedImage padded{make_raster(H, W, cut.image.C), make_raster(H, W, 1, kIgnoredPixel)};
    for (int64_t y = 0; y < h; ++y) {
      std::copy_n(cut.image.at(y, 0), w * cut.image.C, padded.image.at(y, 0));
      if (cut.labels.H) std::copy_n(cut.labels.at(y, 0), w, padded.labels.at(y, 0));
    }
    cut = std::move(padded);
  }
  if (a) change_geometry(cut, *a, random);
  ImageSample s{H, W, cut.image.C, {}, {}};
  s.inputs.resize(cut.image.pixels.size());
  for (size_t i = 0; i < s.inputs.size(); ++i) s.inputs[i] = float(cut.image.pixels[i]) / 255;
  s.labels.assign(size_t(H * W), -1);
  for (size_t i = 0; i < cut.labels.pixels.size(); ++i)
    if (cut.labels.pixels[i] != kIgnoredPixel) s.labels[i] = cut.labels.pixels[i];
  if (a) change_colours(s, *a, random);
  return s;
}

ImageView strong_view(const ImageSample& sample, const ImageAugmentation& a, RandomSequence& random) {
  const int64_t H = sample.H, W = sample.W, C = sample.C;
  const Motion m = draw_motion(H, W, a, random);
  ImageSample shown{H, W, C, std::vector<float>(sample.inputs.size()), {}};
  ImageView view{{}, std::vector<int32_t>(size_t(H * W), -1)};
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      auto [sy, sx] = m.from ? (*m.from)(y, x) : std::pair(double(y), double(x));
      if (m.transpose) std::swap(sy, sx);
      if (m.vertical) sy = double(H - 1) - sy;
      if (m.horizontal) sx = double(W - 1) - sx;
      const int64_t near_y = std::lround(sy), near_x = std::lround(sx), to = y * W + x;
      if (near_y >= 0 && near_y < H && near_x >= 0 && near_x < W)
        view.origin[size_t(to)] = int32_t(near_y * W + near_x);
      sy = std::clamp(sy, 0.0, double(H - 1)), sx = std::clamp(sx, 0.0, double(W - 1));
      const int64_t i = int64_t(sy), j = int64_t(sx), i1 = std::min(i + 1, H - 1), j1 = std::min(j + 1, W - 1);
      const float fy = float(sy - double(i)), fx = float(sx - double(j));
      const auto at = [&](int64_t row, int64_t column) { return sample.inputs.data() + (row * W + column) * C; };
      for (int64_t c = 0; c < C; ++c) {
        const float top = at(i, j)[c] * (1 - fx) + at(i, j1)[c] * fx,
                    bottom = at(i1, j)[c] * (1 - fx) + at(i1, j1)[c] * fx;
        shown.inputs[size_t(to * C + c)] = top * (1 - fy) + bottom * fy;
      }
    }
  change_colours(shown, a, random);
  view.inputs = std::move(shown.inputs);
  return view;
}

Image to_image(const ImageSample& s) {
  Image out = make_raster(s.H, s.W, s.C);
  for (size_t i = 0; i < out.pixels.size(); ++i)
    out.pixels[i] = uint8_t(std::lround(255 * std::clamp(s.inputs[i], 0.0f, 1.0f)));
  return out;
}
Labels labels_of(const ImageSample& s) {
  Labels out = make_raster(s.H, s.W, 1, kIgnoredPixel);
  for (size_t i = 0; i < out.pixels.size(); ++i)
    if (s.labels[i] >= 0) out.pixels[i] = uint8_t(s.labels[i]);
  return out;
}

}  // namespace kern::data
