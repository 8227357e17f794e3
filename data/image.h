// Images in memory, and from and to files: JPEG (baseline and progressive), PNG (every kind), BMP, TIFF and GIF in,
// PNG out.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kern::data {

using Rgb = std::array<uint8_t, 3>;
Rgb parse_colour(std::string_view colour);  // "#rrggbb"; Error otherwise

template <class T>
struct Raster {
  int64_t H = 0, W = 0, C = 0;
  std::vector<T> pixels;  // [H,W,C]
  T* at(int64_t y, int64_t x) { return pixels.data() + (y * W + x) * C; }
  const T* at(int64_t y, int64_t x) const { return pixels.data() + (y * W + x) * C; }
  bool operator==(const Raster&) const = default;
};
using Image = Raster<uint8_t>;
template <class T = uint8_t>
Raster<T> make_raster(int64_t H, int64_t W, int64_t C, T value = {}) {
  return {H, W, C, std::vector<T>(size_t(H * W * C), value)};
}

// What a file's first bytes say of it.
struct ImageInfo {
  enum class Format { jpeg, png, bmp, tiff, gif };
  Format format = Format::png;
  int64_t H = 0, W = 0;  // as decoded: after the EXIF orientation
  // As stored: 1 grey or palette, 2 grey and alpha, 3 colours, 4 colours and alpha; CMYK of a JPEG too.
  int channels = 0;
  int bits = 8;  // of a value, 1 to 16
  bool palette = false;
  int orientation = 1;  // EXIF, 1 to 8: how a JPEG or TIFF must be turned to stand upright
};
const char* to_string(ImageInfo::Format format);

// Files of more pixels are refused: 2^28 are 16,384 x 16,384.
inline constexpr int64_t kMaxPixels = int64_t(1) << 28;
inline constexpr int64_t kMaxBytes = int64_t(1) << 30;

// Errors of all readers name the file (`name`) and say what is wrong with it: no image, cut short, damaged, CMYK,
// no pixels, too many of them. The header alone can be right where the rest is not.
ImageInfo image_info(std::string_view bytes, const std::string& name, int64_t page = 0);
ImageInfo image_info(const std::filesystem::path& path);  // reads no more than it must
bool is_image_name(const std::filesystem::path& path);    // by its end, in any case

// A TIFF may hold several images. They are named as if it were a folder, stack.tif/page_01 and so on, and whatever
// reads an image by its path takes these. The names of a file's images: its own where it holds one or cannot be
// read.
std::vector<std::filesystem::path> pages_of(const std::filesystem::path& file);
std::filesystem::path file_of(const std::filesystem::path& image);  // that holds it: its own path, but for a page

// 8 bits a value, `channels` 1 (grey), 3 (colours) or 0: 1 where the file is grey, else 3. Palettes become colours,
// 16-bit and 1-bit values are scaled to 0..255, alpha is left out, JPEGs and TIFFs are turned upright by their
// orientation. Colours become grey by the weights of Rec. 601. 16 bits of a TIFF are often a camera's 12 or 14: the
// largest value says which of the three is scaled to 255.
Image decode_image(std::string_view bytes, const std::string& name, int channels = 0, int64_t page = 0);
Image read_image(const std::filesystem::path& path, int channels = 0);
// Of 1 or 3 channels, as the other: grey by the weights of Rec. 601, or three equal channels. 0: as it is.
Image with_channels(Image image, int channels);

// The values as they stand in the file: indices of a palette, grey levels of 1 to 16 bits unscaled; C as in ImageInfo.
// A palette of a BMP is applied (its values are colours). This is how masks are read.
struct StoredImage : Raster<uint16_t> {
  ImageInfo info;
  std::vector<Rgb> palette;  // of a palette PNG or TIFF, of a GIF
};
StoredImage decode_stored(std::string_view bytes, const std::string& name, int64_t page = 0);
StoredImage read_stored(const std::filesystem::path& path);

// PNG of 8 bits: C is 1 (grey, or indices into `palette`), 3 or 4 (with alpha). Up to 256 colours, more than the
// largest index. `level` is zlib's, 0 to 9.
std::string encode_png(const Image& image, std::span<const Rgb> palette = {}, int level = 6);

// Linear with anti-aliasing (a triangle over what a new pixel covers). A part of the image: y, x, h, w inside it.
Image resize(const Image& image, int64_t H, int64_t W);
Image resize_part(const Image& image, int64_t y, int64_t x, int64_t h, int64_t w, int64_t H, int64_t W);
// The value that stands at the middle of each new pixel.
template <class T>
Raster<T> resize_nearest_part(const Raster<T>& image, int64_t y, int64_t x, int64_t h, int64_t w, int64_t H,
                              int64_t W) {
  Raster<T> out = make_raster<T>(H, W, image.C);
  for (int64_t i = 0; i < H; ++i)
    for (int64_t j = 0; j < W; ++j) {
      const T* from = image.at(y + (2 * i + 1) * h / (2 * H), x + (2 * j + 1) * w / (2 * W));
      for (int64_t c = 0; c < image.C; ++c) out.at(i, j)[c] = from[c];
    }
  return out;
}
template <class T>
Raster<T> resize_nearest(const Raster<T>& image, int64_t H, int64_t W) {
  return resize_nearest_part(image, 0, 0, image.H, image.W, H, W);
}

}  // namespace kern::data
