#include "data/image_draw.h"

#include <algorithm>
#include <cmath>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
constexpr Rgb kNoPart{40, 40, 40};
}

Image coloured(const Labels& labels, std::span<const Rgb> palette) {
  Image out = make_raster(labels.H, labels.W, 3);
  for (size_t i = 0; i < labels.pixels.size(); ++i) {
    const uint8_t k = labels.pixels[i];
    const Rgb colour = k < palette.size() ? palette[k] : kNoPart;
    std::copy_n(colour.begin(), 3, out.pixels.begin() + int64_t(3 * i));
  }
  return out;
}

Image overlay(const Image& image, const Labels& labels, std::span<const Rgb> palette, double opacity,
              bool background_clear) {
  internal_check(image.H == labels.H && image.W == labels.W, "a mask of another size is laid over an image");
  Image out = in_colours(image);
  for (size_t i = 0; i < labels.pixels.size(); ++i) {
    const uint8_t k = labels.pixels[i];
    if (k >= palette.size() || (background_clear && k == 0)) continue;
    for (size_t c = 0; c < 3; ++c) {
      uint8_t& v = out.pixels[3 * i + c];
      v = uint8_t(std::lround((1 - opacity) * v + opacity * palette[k][c]));
    }
  }
  return out;
}

Image mistakes(const Image& image, const Labels& truth, const Labels& predicted, bool binary) {
  constexpr Rgb kFound{0, 158, 115}, kWrong{213, 94, 0}, kMissed{0, 114, 178};
  Image out = image;
  for (int64_t i = 0; i < out.H * out.W; ++i) {
    uint8_t* p = &out.pixels[size_t(3 * i)];
    const int grey = (299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000, t = truth.pixels[size_t(i)],
              k = predicted.pixels[size_t(i)];
    p[0] = p[1] = p[2] = uint8_t(grey);
    const Rgb* mark = nullptr;
    if (t != kIgnoredPixel && t != k) mark = binary && k == 0 ? &kMissed : &kWrong;
    else if (binary && t == 1) mark = &kFound;
    if (mark)
      for (int c = 0; c < 3; ++c) p[c] = uint8_t((grey + 2 * (*mark)[size_t(c)]) / 3);
  }
  return out;
}

Image in_colours(Image image) {
  if (image.C == 3) return image;
  Image out = make_raster(image.H, image.W, 3);
  for (size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = image.pixels[i / 3 * size_t(image.C)];
  return out;
}

Image at_most(Image image, int64_t side) {
  const int64_t longest = std::max(image.H, image.W);
  if (longest <= side) return image;
  return resize(image, std::max<int64_t>(1, image.H * side / longest), std::max<int64_t>(1, image.W * side / longest));
}

Image sheet(const std::vector<Image>& cells, int columns, int64_t cell) {
  constexpr int64_t kGap = 4;
  columns = std::max(1, std::min(columns, int(cells.size())));
  const int64_t rows = (int64_t(cells.size()) + columns - 1) / columns;
  std::vector<Image> small;
  int64_t H = 1, W = 1;  // of the largest
  for (const Image& c : cells) {
    small.push_back(at_most(c, cell));
    H = std::max(H, small.back().H), W = std::max(W, small.back().W);
  }
  Image out = make_raster(rows * (H + kGap) + kGap, columns * (W + kGap) + kGap, 3, uint8_t(255));
  for (size_t i = 0; i < small.size(); ++i) {
    const int64_t y = int64_t(i) / columns * (H + kGap) + kGap + (H - small[i].H) / 2,
                  x = int64_t(i) % columns * (W + kGap) + kGap + (W - small[i].W) / 2;
    for (int64_t r = 0; r < small[i].H; ++r) std::copy_n(small[i].at(r, 0), small[i].W * 3, out.at(y + r, x));
  }
  return out;
}

void write_sheet(const std::filesystem::path& path, const std::vector<Image>& cells, int columns) {
  if (path.has_parent_path()) make_folder(path.parent_path());
  write_file(path, encode_png(sheet(cells, columns)));
}

}  // namespace kern::data
