#include "data/preprocess.h"

#include <algorithm>
#include <cmath>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

Image sharpened(const Image& in, double factor) {
  Image out = in;
  for (int64_t y = 1; y + 1 < in.H; ++y)
    for (int64_t x = 1; x + 1 < in.W; ++x)
      for (int64_t c = 0; c < in.C; ++c) {
        int sum = 4 * in.at(y, x)[c];
        for (int64_t dy = -1; dy <= 1; ++dy)
          for (int64_t dx = -1; dx <= 1; ++dx) sum += in.at(y + dy, x + dx)[c];
        const double smooth = std::floor(sum / 13.0 + 0.5), value = smooth + factor * (in.at(y, x)[c] - smooth);
        out.at(y, x)[c] = uint8_t(std::clamp(value, 0.0, 255.0));
      }
  return out;
}

// Top and left of the middle h x w of an image.
struct Corner {
  int64_t y, x;
};
Corner middle(ImageSize of, int64_t h, int64_t w) {
  return {int64_t(std::lround(double(of.H - h) / 2)), int64_t(std::lround(double(of.W - w) / 2))};
}
template <class T>
Raster<T> cropped(const Raster<T>& in, int64_t h, int64_t w) {
  if (h == in.H && w == in.W) return in;
  const Corner corner = middle({in.H, in.W}, h, w);
  Raster<T> out = make_raster<T>(h, w, in.C);
  for (int64_t y = 0; y < h; ++y) std::copy_n(in.at(corner.y + y, corner.x), w * in.C, out.at(y, 0));
  return out;
}

Raster<float> blurred(const Raster<float>& in, double deviation) {
  const double side = std::exp(-0.5 / (deviation * deviation)), whole = 1 + 2 * side;
  const float middle_tap = float(1 / whole), side_tap = float(side / whole);
  auto mirrored = [](int64_t i, int64_t n) { return n == 1 ? 0 : i < 0 ? 1 : i >= n ? n - 2 : i; };
  Raster<float> rows = in, out = in;
  for (int64_t y = 0; y < in.H; ++y)
    for (int64_t x = 0; x < in.W; ++x)
      for (int64_t c = 0; c < in.C; ++c)
        rows.at(y, x)[c] = middle_tap * in.at(y, x)[c] +
                           side_tap * (in.at(y, mirrored(x - 1, in.W))[c] + in.at(y, mirrored(x + 1, in.W))[c]);
  for (int64_t y = 0; y < in.H; ++y)
    for (int64_t x = 0; x < in.W; ++x)
      for (int64_t c = 0; c < in.C; ++c)
        out.at(y, x)[c] = middle_tap * rows.at(y, x)[c] +
                          side_tap * (rows.at(mirrored(y - 1, in.H), x)[c] + rows.at(mirrored(y + 1, in.H), x)[c]);
  return out;
}

}  // namespace

ImageSize prepared_size(ImageSize s, const Preprocess& chain) {
  if (chain.height > 0) s.H = chain.height;
  if (chain.width > 0) s.W = chain.width;
  const int64_t h = chain.crop_height > 0 ? chain.crop_height : s.H, w = chain.crop_width > 0 ? chain.crop_width : s.W;
  check(h <= s.H && w <= s.W, "the middle ", h, "x", w, " cannot be cut out of an image of ", s.H, "x", s.W,
        ": resize it to more first, or crop less");
  return {h, w};
}

ImageRegion prepared_region(ImageSize s, const Preprocess& chain) {
  const ImageSize kept = prepared_size(s, chain),
                  resized{chain.height > 0 ? chain.height : s.H, chain.width > 0 ? chain.width : s.W};
  const Corner corner = middle(resized, kept.H, kept.W);
  auto scaled = [](int64_t at, int64_t to, int64_t from) {
    return std::lround(double(at) * double(to) / double(from));
  };
  ImageRegion r{scaled(corner.y, s.H, resized.H), scaled(corner.x, s.W, resized.W), 0, 0};
  r.H = std::max<int64_t>(1, scaled(corner.y + kept.H, s.H, resized.H) - r.y);
  r.W = std::max<int64_t>(1, scaled(corner.x + kept.W, s.W, resized.W) - r.x);
  r.y = std::min(r.y, s.H - r.H), r.x = std::min(r.x, s.W - r.W);
  return r;
}

Raster<float> prepare(const Image& image, const Preprocess& chain, double blur) {
  check(image.C == chain.channels, "an image of ", image.C, " channels was given where ", chain.channels,
        " are wanted");
  const ImageSize size = prepared_size({image.H, image.W}, chain);
  Image v = chain.sharpen == 1 ? image : sharpened(image, chain.sharpen);
  if (chain.height > 0 || chain.width > 0)
    v = resize(v, chain.height > 0 ? chain.height : v.H, chain.width > 0 ? chain.width : v.W);
  v = cropped(v, size.H, size.W);
  Raster<float> out{v.H, v.W, v.C, std::vector<float>(v.pixels.size())};
  for (size_t i = 0; i < v.pixels.size(); ++i) out.pixels[i] = float(v.pixels[i]) / 255.0f;
  const double deviation = blur >= 0 ? blur : chain.blur;
  return deviation > 0 ? blurred(out, deviation) : out;
}

Raster<float> prepare_undistorted(const Image& image, const Preprocess& chain, int64_t multiple) {
  const ImageSize size = prepared_size({image.H, image.W}, chain);
  const ImageRegion kept = prepared_region({image.H, image.W}, chain);
  const double side = std::sqrt(double(size.H * size.W)), aspect = std::sqrt(double(kept.W) / double(kept.H));
  const auto rounded = [&](double to) { return multiple * std::max<int64_t>(1, std::lround(to / double(multiple))); };
  const Image part = resize_part(image, kept.y, kept.x, kept.H, kept.W, rounded(side / aspect), rounded(side * aspect));
  return prepare(part, {.channels = chain.channels, .sharpen = chain.sharpen, .blur = chain.blur});
}

Image prepare_mask(const Image& mask, const Preprocess& chain) {
  const ImageSize size = prepared_size({mask.H, mask.W}, chain);
  Image v = mask;
  if (chain.height > 0 || chain.width > 0)
    v = resize_nearest(v, chain.height > 0 ? chain.height : v.H, chain.width > 0 ? chain.width : v.W);
  return cropped(v, size.H, size.W);
}

}  // namespace kern::data
