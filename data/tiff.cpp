#include "data/tiff.h"

#include <fcntl.h>
#include <tiffio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr tmsize_t kMaxAtOnce = tmsize_t(1) << 31;

struct Failure {
  char sentence[200] = "";
};
int on_error(TIFF*, void* user, const char*, const char* format, va_list values) {
  auto* failure = static_cast<Failure*>(user);
  if (failure->sentence[0] == '\0') std::vsnprintf(failure->sentence, sizeof failure->sentence, format, values);
  return 1;
}
int on_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct Memory {
  std::string_view bytes;
  size_t at = 0;
};
tmsize_t read_memory(thandle_t handle, void* to, tmsize_t n) {
  auto* m = static_cast<Memory*>(handle);
  const size_t got = m->at < m->bytes.size() ? std::min(size_t(n), m->bytes.size() - m->at) : 0;
  if (got > 0) std::memcpy(to, m->bytes.data() + m->at, got);
  m->at += got;
  return tmsize_t(got);
}
toff_t seek_memory(thandle_t handle, toff_t offset, int whence) {
  auto* m = static_cast<Memory*>(handle);
  m->at = size_t(offset) + (whence == SEEK_CUR ? m->at : whence == SEEK_END ? m->bytes.size() : 0);
  return m->at;
}

// A file that libtiff has open, at one of its pages.
class Tiff {
 public:
  Tiff(std::string_view bytes, const std::string& name) : name_(name), memory_{bytes} {
    const Options options = make_options();
    tiff_ = TIFFClientOpenExt(
        "", "rm", &memory_, read_memory, [](thandle_t, void*, tmsize_t) { return tmsize_t(0); }, seek_memory,
        [](thandle_t) { return 0; }, [](thandle_t h) { return toff_t(static_cast<Memory*>(h)->bytes.size()); }, nullptr,
        nullptr, options.get());
    if (!tiff_) refuse();
  }
  explicit Tiff(const std::filesystem::path& file) : name_(file.string()) {
    const Options options = make_options();
    const int handle = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    check(handle >= 0, name_, " cannot be read: ", std::strerror(errno));
    tiff_ = TIFFFdOpenExt(handle, "", "rm", options.get());
    if (tiff_) return;
    ::close(handle);
    refuse();
  }
  ~Tiff() {
    if (tiff_) TIFFClose(tiff_);
  }
  Tiff(const Tiff&) = delete;
  Tiff& operator=(const Tiff&) = delete;

  int64_t pages() {
    int64_t n = 0;
    do n += is_image();
    while (TIFFReadDirectory(tiff_));
    if (failure_.sentence[0]) refuse();  // a directory that the one before names is not there
    return n;
  }
  void go_to(int64_t page) {
    for (int64_t n = is_image() ? 0 : -1; n < page;) {
      if (!TIFFReadDirectory(tiff_)) {
        if (failure_.sentence[0]) refuse();
        throw Error(text(name_, " has ", n + 1, " pages; page ", page + 1, " is asked for"));
      }
      n += is_image();
    }
  }

  template <class T>
  T field(uint32_t tag, T otherwise) const {
    T value = otherwise;
    return TIFFGetFieldDefaulted(tiff_, tag, &value) ? value : otherwise;
  }

  ImageInfo info() const {
    ImageInfo out{.format = ImageInfo::Format::tiff,
                  .H = field<uint32_t>(TIFFTAG_IMAGELENGTH, 0),
                  .W = field<uint32_t>(TIFFTAG_IMAGEWIDTH, 0),
                  .orientation = field<uint16_t>(TIFFTAG_ORIENTATION, 1)};
    if (out.orientation < 1 || out.orientation > 8) out.orientation = 1;
    if (out.orientation >= 5) std::swap(out.H, out.W);
    const int bits = field<uint16_t>(TIFFTAG_BITSPERSAMPLE, 1), samples = field<uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
    const int kind = field<uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    check(kind == SAMPLEFORMAT_UINT || kind == SAMPLEFORMAT_VOID, name_, " holds ", bits, "-bit ",
          kind == SAMPLEFORMAT_IEEEFP ? "floating-point"
          : kind == SAMPLEFORMAT_INT  ? "signed"
                                      : "complex",
          " values; save it with 8 or 16 bits, unsigned");
    check(bits >= 1 && bits <= 16, name_, " holds ", bits, " bits a value; save it with 8 or 16");
    if (!is_plain()) {
      out.channels = 3;
      return out;
    }
    check(samples >= 1 && samples <= 4, name_, " holds ", samples,
          " values a pixel; save its channels as images of their own, or as RGB");
    const bool colours = photometric() == PHOTOMETRIC_RGB;
    check(colours ? samples >= 3 : samples <= 2, name_, " holds ", samples, " values a pixel, but calls itself ",
          colours ? "RGB" : "grey", "; save its channels as images of their own, or as RGB");
    out.channels = samples, out.bits = bits, out.palette = photometric() == PHOTOMETRIC_PALETTE;
    return out;
  }

  StoredImage read() {
    StoredImage out;
    out.info = info();
    Raster<uint16_t>& raster = out;
    const auto H = int64_t(field<uint32_t>(TIFFTAG_IMAGELENGTH, 0)),
               W = int64_t(field<uint32_t>(TIFFTAG_IMAGEWIDTH, 0));
    raster = make_raster<uint16_t>(H, W, out.info.channels);
    if (!is_plain()) {
      read_colours(raster);
    } else if (TIFFIsTiled(tiff_)) {
      read_tiles(raster, out.info.bits);
    } else {
      read_rows(raster, out.info.bits);
    }
    const auto most = uint16_t((1 << out.info.bits) - 1);
    if (is_plain() && photometric() == PHOTOMETRIC_MINISWHITE)
      for (int64_t i = 0; i < H * W; ++i)
        raster.pixels[size_t(i * raster.C)] = uint16_t(most - raster.pixels[size_t(i * raster.C)]);
    if (out.info.palette) out.palette = palette(size_t(1) << out.info.bits);
    return out;
  }

 private:
  using Options = std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)>;
  Options make_options() {
    Options options(TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &failure_);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, nullptr);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAtOnce);
    return options;
  }
  [[noreturn]] void refuse() const {
    throw Error(text(name_, " cannot be read as TIFF (", failure_.sentence[0] ? failure_.sentence : "damaged data",
                     "); copy or download it again, or convert it to PNG"));
  }
  bool is_image() const {
    return (field<uint32_t>(TIFFTAG_SUBFILETYPE, 0) & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0;
  }
  int photometric() const { return field<uint16_t>(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK); }
  // Whether values mean what they are: grey, an index, red, green or blue.
  bool is_plain() const {
    const int p = photometric();
    return p == PHOTOMETRIC_MINISBLACK || p == PHOTOMETRIC_MINISWHITE || p == PHOTOMETRIC_RGB ||
           p == PHOTOMETRIC_PALETTE;
  }
  bool separate() const { return field<uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE; }

  // Numbers of `bits` bits each, the first in the highest bits of the first byte; 16 bits in the machine's order.
  static void unpack(const uint8_t* from, int64_t n, int bits, uint16_t* to, int64_t step) {
    if (bits == 8) {
      for (int64_t i = 0; i < n; ++i) to[i * step] = from[i];
    } else if (bits == 16) {
      for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * step, from + 2 * i, 2);
    } else {
      int64_t bit = 0;
      for (int64_t i = 0; i < n; ++i) {
        uint32_t value = 0;
        for (int b = 0; b < bits; ++b, ++bit) value = value << 1 | (from[bit / 8] >> (7 - bit % 8) & 1u);
        to[i * step] = uint16_t(value);
      }
    }
  }
  static int64_t bytes_of(int64_t values, int bits) { return (values * bits + 7) / 8; }

  void read_rows(Raster<uint16_t>& out, int bits) {
    const int64_t planes = separate() ? out.C : 1, values = out.W * out.C / planes;
    if (TIFFScanlineSize(tiff_) < bytes_of(values, bits)) refuse();
    std::vector<uint8_t> row(size_t(TIFFScanlineSize(tiff_)));
    for (int64_t plane = 0; plane < planes; ++plane)
      for (int64_t y = 0; y < out.H; ++y) {
        if (TIFFReadScanline(tiff_, row.data(), uint32_t(y), uint16_t(plane)) < 0) refuse();
        unpack(row.data(), values, bits, out.at(y, 0) + plane, planes);
      }
  }

  void read_tiles(Raster<uint16_t>& out, int bits) {
    const int64_t h = field<uint32_t>(TIFFTAG_TILELENGTH, 0), w = field<uint32_t>(TIFFTAG_TILEWIDTH, 0);
    const int64_t planes = separate() ? out.C : 1, each = out.C / planes, row = TIFFTileRowSize(tiff_);
    if (h <= 0 || w <= 0 || row < bytes_of(w * each, bits) || TIFFTileSize(tiff_) < h * row) refuse();
    std::vector<uint8_t> tile(size_t(TIFFTileSize(tiff_)));
    for (int64_t plane = 0; plane < planes; ++plane)
      for (int64_t y = 0; y < out.H; y += h)
        for (int64_t x = 0; x < out.W; x += w) {
          if (TIFFReadTile(tiff_, tile.data(), uint32_t(x), uint32_t(y), 0, uint16_t(plane)) < 0) refuse();
          for (int64_t i = 0; i < std::min(h, out.H - y); ++i)
            unpack(tile.data() + i * row, std::min(w, out.W - x) * each, bits, out.at(y + i, x) + plane, planes);
        }
  }

  void read_colours(Raster<uint16_t>& out) {
    std::vector<uint32_t> pixels(size_t(out.H * out.W));
    char why[1024] = "";
    if (!TIFFRGBAImageOK(tiff_, why)) throw Error(text(name_, " cannot be read as TIFF (", why, "); save it as RGB"));
    // As it stands in the file: image.cpp turns it.
    if (!TIFFReadRGBAImageOriented(tiff_, uint32_t(out.W), uint32_t(out.H), pixels.data(),
                                   field<uint16_t>(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT), 1))
      refuse();
    for (size_t i = 0; i < pixels.size(); ++i) {
      out.pixels[3 * i] = TIFFGetR(pixels[i]);
      out.pixels[3 * i + 1] = TIFFGetG(pixels[i]);
      out.pixels[3 * i + 2] = TIFFGetB(pixels[i]);
    }
  }

  std::vector<Rgb> palette(size_t n) const {
    uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
    if (!TIFFGetField(tiff_, TIFFTAG_COLORMAP, &red, &green, &blue)) refuse();
    // Of 16 bits by the standard; some programs write 8.
    const bool wide = std::any_of(red, red + n, [](int v) { return v > 255; }) ||
                      std::any_of(green, green + n, [](int v) { return v > 255; }) ||
                      std::any_of(blue, blue + n, [](int v) { return v > 255; });
    std::vector<Rgb> out(n);
    for (size_t i = 0; i < n; ++i)
      out[i] = wide ? Rgb{uint8_t(red[i] >> 8), uint8_t(green[i] >> 8), uint8_t(blue[i] >> 8)}
                    : Rgb{uint8_t(red[i]), uint8_t(green[i]), uint8_t(blue[i])};
    return out;
  }

  std::string name_;
  Memory memory_;
  Failure failure_;
  TIFF* tiff_ = nullptr;
};

}  // namespace

bool is_tiff(std::string_view bytes) {
  using namespace std::string_view_literals;
  return bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv) || bytes.starts_with("II+\0"sv) ||
         bytes.starts_with("MM\0+"sv);
}

int64_t tiff_pages(const std::filesystem::path& file) { return Tiff(file).pages(); }

ImageInfo tiff_info(const std::filesystem::path& file, int64_t page) {
  Tiff tiff(file);
  tiff.go_to(page);
  return tiff.info();
}
ImageInfo tiff_info(std::string_view bytes, int64_t page, const std::string& name) {
  Tiff tiff(bytes, name);
  tiff.go_to(page);
  return tiff.info();
}

StoredImage read_tiff(std::string_view bytes, int64_t page, const std::string& name) {
  Tiff tiff(bytes, name);
  tiff.go_to(page);
  return tiff.read();
}

}  // namespace kern::data

// What libtiff.a wants of JBIG-KIT, which is under the GPL and therefore not linked: a file with that compression, which
// fax machines use, is refused. (libtiff decodes it by whole strips alone, and here lines are read.)
extern "C" {
void jbg_dec_init(void*) {}
int jbg_dec_in(void*, unsigned char*, size_t, size_t*) { return 1; }
long jbg_dec_getsize(const void*) { return 0; }
unsigned char* jbg_dec_getimage(const void*, int) { return nullptr; }
void jbg_dec_free(void*) {}
int jbg_newlen(unsigned char*, size_t) { return 1; }
void jbg_enc_init(void*, unsigned long, unsigned long, int, unsigned char**, void (*)(unsigned char*, size_t, void*),
                  void*) {}
void jbg_enc_out(void*) {}
void jbg_enc_free(void*) {}
const char* jbg_strerror(int) { return "Kern reads no JBIG compression; save the file with another one"; }
}
