#include "data/png.h"

#include <png.h>

#include <algorithm>
#include <bit>
#include <csetjmp>
#include <cstring>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

// libpng leaves a failed call by longjmp, which runs no destructor: everything that lives across its calls stands in
// these structures, and each function that calls it sets its own jump and has no other objects.
struct Failure {
  char sentence[200] = "";
};
[[noreturn]] void on_error(png_structp png, png_const_charp what) {
  auto* failure = static_cast<Failure*>(png_get_error_ptr(png));
  std::strncpy(failure->sentence, what, sizeof failure->sentence - 1);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}

struct Reader {
  std::string_view bytes;
  size_t read = 0;
  bool ended = false;  // libpng asked for more than there is
  Failure failure;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<png_bytep> rows;

  explicit Reader(std::string_view all) : bytes(all) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
    internal_check(info, "libpng does not start");
    png_set_read_fn(png, this, [](png_structp p, png_bytep to, size_t n) {
      auto* r = static_cast<Reader*>(png_get_io_ptr(p));
      if (n > r->bytes.size() - r->read) {
        r->ended = true;
        png_error(p, "the file ends early");
      }
      std::memcpy(to, r->bytes.data() + r->read, n);
      r->read += n;
    });
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool header() {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_user_limits(png, png_uint_32(kMaxPixels), png_uint_32(kMaxPixels));
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
    png_read_info(png, info);
    return true;
  }
  bool expand() {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    return update();
  }
  bool unpack() {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_packing(png);
    if constexpr (std::endian::native == std::endian::little) png_set_swap(png);
    return update();
  }
  bool update() {
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return true;
  }
  bool pixels() {
    if (setjmp(png_jmpbuf(png))) return false;
    png_read_image(png, rows.data());
    png_read_end(png, nullptr);
    return true;
  }

  [[noreturn]] void refuse(const std::string& name) const {
    if (ended) throw Error(name + " is cut short: the image's data end early; copy or download it again");
    throw Error(text(name, " is a damaged PNG (", failure.sentence, "); copy or download it again"));
  }
  template <class T>
  void read_into(Raster<T>& out, const std::string& name) {
    out.H = png_get_image_height(png, info);
    out.W = png_get_image_width(png, info);
    out.C = png_get_channels(png, info);
    internal_check(png_get_rowbytes(png, info) == size_t(out.W * out.C) * sizeof(T), "a row of a PNG has another size");
    out.pixels.resize(size_t(out.H * out.W * out.C));
    for (int64_t y = 0; y < out.H; ++y) rows.push_back(reinterpret_cast<png_bytep>(out.at(y, 0)));
    if (!pixels()) refuse(name);
  }
};

struct Writer {
  Failure failure;
  std::string bytes;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<png_color> colours;

  Writer() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
    internal_check(info, "libpng does not start");
    png_set_write_fn(
        png, this,
        [](png_structp p, png_bytep from, size_t n) {
          static_cast<Writer*>(png_get_io_ptr(p))->bytes.append(reinterpret_cast<const char*>(from), n);
        },
        nullptr);
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  bool write(const Image& image, int kind, int level) {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_user_limits(png, png_uint_32(kMaxPixels), png_uint_32(kMaxPixels));
    png_set_compression_level(png, level);
    png_set_IHDR(png, info, png_uint_32(image.W), png_uint_32(image.H), 8, kind, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (!colours.empty()) png_set_PLTE(png, info, colours.data(), int(colours.size()));
    png_write_info(png, info);
    for (int64_t y = 0; y < image.H; ++y) png_write_row(png, image.at(y, 0));
    png_write_end(png, info);
    return true;
  }
};

}  // namespace

Image read_png(std::string_view bytes, const std::string& name) {
  Reader reader(bytes);
  if (!reader.header() || !reader.expand()) reader.refuse(name);
  Image out;
  reader.read_into(out, name);
  return out;
}

Raster<uint16_t> read_png_stored(std::string_view bytes, const std::string& name, std::vector<Rgb>& palette) {
  Reader reader(bytes);
  if (!reader.header()) reader.refuse(name);
  png_colorp colours = nullptr;
  int count = 0;
  if (png_get_color_type(reader.png, reader.info) == PNG_COLOR_TYPE_PALETTE &&
      png_get_PLTE(reader.png, reader.info, &colours, &count))
    for (int i = 0; i < count; ++i) palette.push_back({colours[i].red, colours[i].green, colours[i].blue});
  if (!reader.unpack()) reader.refuse(name);
  Raster<uint16_t> out;
  if (png_get_bit_depth(reader.png, reader.info) == 16) {
    reader.read_into(out, name);
  } else {
    Image narrow;
    reader.read_into(narrow, name);
    out = {narrow.H, narrow.W, narrow.C, {narrow.pixels.begin(), narrow.pixels.end()}};
  }
  return out;
}

std::string write_png(const Image& image, std::span<const Rgb> palette, int level) {
  Writer writer;
  for (const Rgb& c : palette) writer.colours.push_back({c[0], c[1], c[2]});
  const int kind = image.C == 4       ? PNG_COLOR_TYPE_RGB_ALPHA
                   : image.C == 3     ? PNG_COLOR_TYPE_RGB
                   : !palette.empty() ? PNG_COLOR_TYPE_PALETTE
                                      : PNG_COLOR_TYPE_GRAY;
  internal_check(writer.write(image, kind, level), "libpng cannot write: ", writer.failure.sentence);
  return std::move(writer.bytes);
}

}  // namespace kern::data
