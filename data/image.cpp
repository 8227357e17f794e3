#include "data/image.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>

#define STBI_NO_STDIO
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#include "data/gif.h"
#include "data/names.h"
#include "data/png.h"
#include "data/tiff.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {
void forget_stb_failure();  // stb.cpp
namespace {

// Numbers of a file at a byte; the caller has made sure that they are there.
class Bytes {
 public:
  explicit Bytes(std::string_view all) : all_(all) {}
  uint32_t byte(size_t i) const { return uint8_t(all_[i]); }
  uint32_t big16(size_t i) const { return byte(i) << 8 | byte(i + 1); }
  uint32_t big32(size_t i) const { return big16(i) << 16 | big16(i + 2); }
  uint32_t little16(size_t i) const { return byte(i) | byte(i + 1) << 8; }
  uint32_t little32(size_t i) const { return little16(i) | little16(i + 2) << 16; }

 private:
  std::string_view all_;
};

[[noreturn]] void refuse_short(const std::string& name) {
  throw Error(name + " is cut short: the image's data end early; copy or download it again");
}

// Orientation of an APP1 segment, 1 where it says nothing (EXIF 2.3: a TIFF header, the tag 0x0112 in its first
// directory).
int exif_orientation(std::string_view segment) {
  if (!segment.starts_with(std::string_view("Exif\0\0", 6)) || segment.size() < 14) return 1;
  const std::string_view tiff = segment.substr(6);
  const Bytes b(tiff);
  const bool little = tiff.starts_with("II");
  auto u16 = [&](size_t i) { return little ? b.little16(i) : b.big16(i); };
  const size_t directory = little ? b.little32(4) : b.big32(4);
  if (directory > tiff.size() || tiff.size() - directory < 2) return 1;
  const size_t entries = u16(directory);
  for (size_t e = 0; e < entries; ++e) {
    const size_t at = directory + 2 + 12 * e;
    if (at + 12 > tiff.size()) return 1;
    if (u16(at) == 0x0112) return u16(at + 8) >= 1 && u16(at + 8) <= 8 ? int(u16(at + 8)) : 1;
  }
  return 1;
}

// 0 beyond the end, as stb reads.
uint32_t byte_or_0(std::string_view bytes, size_t i) { return i < bytes.size() ? uint8_t(bytes[i]) : 0; }

// The Huffman tables of a DHT segment whose marker stands at `at`: a bit each, 1 << number of a DC table, 16 << number
// of an AC table. stb has room for the 256 codes that a byte can tell apart, and does not count.
uint32_t huffman_tables(std::string_view bytes, size_t at, const std::string& name) {
  auto left = int64_t(byte_or_0(bytes, at + 2) << 8 | byte_or_0(bytes, at + 3)) - 2;
  uint32_t defined = 0;
  for (size_t table = at + 4; left > 0 && table < bytes.size();) {
    uint32_t codes = 0;
    for (size_t i = 1; i <= 16; ++i) codes += byte_or_0(bytes, table + i);
    check(codes <= 256, name, " is a damaged JPEG: one of its tables has ", codes,
          " codes, 256 are possible; copy or download it again");
    const uint32_t which = byte_or_0(bytes, table);
    defined |= (which >> 4 ? 16u : 1u) << (which & 3);
    table += 17 + codes, left -= 17 + int64_t(codes);
  }
  return defined;
}

// Whether the components and tables that the scan whose marker stands at `at` asks for are there: stb does not look for
// tables, and refuses a component without a reason.
void check_scan(std::string_view bytes, size_t at, bool progressive, uint32_t defined, std::string_view components,
                const std::string& name) {
  const size_t parts = byte_or_0(bytes, at + 4);
  const bool first_is_dc = byte_or_0(bytes, at + 5 + 2 * parts) == 0;
  for (size_t i = 0; i < parts; ++i) {
    const uint32_t component = byte_or_0(bytes, at + 5 + 2 * i);
    check(components.find(char(component)) != components.npos, name, " is a damaged JPEG: its scan names a component ",
          component, " that the frame lacks; copy or download it again");
    const uint32_t which = byte_or_0(bytes, at + 6 + 2 * i), dc = 1u << (which >> 4 & 3), ac = 16u << (which & 3);
    const uint32_t needed = !progressive ? dc | ac : first_is_dc ? dc : ac;
    check((defined & needed) == needed, name,
          " is a damaged JPEG: tables that its image is coded with are missing; copy or download it again");
  }
}

struct JpegHeader {
  ImageInfo info;
  size_t scan = 0;  // where the first scan begins
};
// Walks the segments up to the frame header, and on to the first scan where that is wanted.
JpegHeader jpeg_header(std::string_view bytes, const std::string& name, bool to_scan) {
  const Bytes b(bytes);
  JpegHeader h{.info = {.format = ImageInfo::Format::jpeg}};
  uint32_t tables = 0;
  bool progressive = false;
  std::string components;  // the frame's, a byte each
  for (size_t i = 2;;) {
    if (i + 4 > bytes.size()) refuse_short(name);
    check(b.byte(i) == 0xFF, name,
          " is a damaged JPEG: its segments do not follow each other; copy or download it again");
    const uint32_t marker = b.byte(i + 1);
    if (marker == 0xFF) {  // filling
      ++i;
      continue;
    }
    check(marker != 0x01 && (marker < 0xD0 || marker > 0xD8), name,  // these have no length
          " is a damaged JPEG: a marker stands where a segment should; copy or download it again");
    check(marker != 0xD9, name, " is a JPEG without an image: it ends before one begins; copy or download it again");
    const size_t length = b.big16(i + 2);
    check(length >= 2, name, " is a damaged JPEG: a segment has no length; copy or download it again");
    if (marker == 0xDA) {
      check(h.info.channels > 0, name, " is a damaged JPEG: a scan comes before the frame; copy or download it again");
      check_scan(bytes, i, progressive, tables, components, name);
      h.scan = i;
      return h;
    }
    if (i + 2 + length > bytes.size()) refuse_short(name);
    if (marker == 0xE1 && h.info.orientation == 1)
      h.info.orientation = exif_orientation(bytes.substr(i + 4, length - 2));
    if (marker == 0xC4) tables |= huffman_tables(bytes, i, name);
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      check(length >= 8, name, " is a damaged JPEG: its frame header is too short; copy or download it again");
      h.info.bits = int(b.byte(i + 4));
      h.info.H = b.big16(i + 5);
      h.info.W = b.big16(i + 7);
      h.info.channels = int(b.byte(i + 9));
      if (h.info.orientation >= 5) std::swap(h.info.H, h.info.W);
      progressive = marker == 0xC2;
      components.clear();
      for (int c = 0; c < h.info.channels; ++c) components += char(byte_or_0(bytes, i + 10 + 3 * size_t(c)));
      if (!to_scan) return h;
    }
    i += 2 + length;
  }
}

ImageInfo png_info(std::string_view bytes, const std::string& name) {
  if (bytes.size() < 33) refuse_short(name);
  const Bytes b(bytes);
  check(bytes.substr(12, 4) == "IHDR", name,
        " is a damaged PNG: it does not begin with its header; copy or download it again");
  ImageInfo info{.format = ImageInfo::Format::png, .H = b.big32(20), .W = b.big32(16), .bits = int(b.byte(24))};
  constexpr int kChannels[] = {1, 0, 3, 1, 2, 0, 4};
  const uint32_t kind = b.byte(25);
  info.channels = kind < 7 ? kChannels[kind] : 0;
  info.palette = kind == 3;
  check(info.channels > 0, name, " is a damaged PNG: there is no colour type ", kind, "; copy or download it again");
  return info;
}

ImageInfo bmp_info(std::string_view bytes, const std::string& name) {
  if (bytes.size() < 30) refuse_short(name);
  const Bytes b(bytes);
  const bool old = b.little32(14) == 12;  // OS/2
  const auto height = int64_t(int32_t(b.little32(22))), width = int64_t(int32_t(b.little32(18)));
  ImageInfo info{.format = ImageInfo::Format::bmp,
                 .H = old ? int64_t(b.little16(20)) : std::abs(height),  // negative: rows from the top
                 .W = old ? int64_t(b.little16(18)) : width};
  const uint32_t bits = old ? b.little16(24) : b.little16(28);
  info.palette = bits <= 8;
  info.channels = bits == 32 ? 4 : 3;
  return info;
}

// stb fills what is missing of a BMP with zeros.
void check_bmp_whole(std::string_view bytes, const std::string& name, const ImageInfo& info) {
  const Bytes b(bytes);
  const bool old = b.little32(14) == 12;
  const uint64_t bits = old ? b.little16(24) : b.little16(28), row = (uint64_t(info.W) * bits + 31) / 32 * 4;
  if (b.little32(10) > bytes.size() || row * uint64_t(info.H) > bytes.size() - b.little32(10)) refuse_short(name);
}

void check_info(const ImageInfo& info, const std::string& name) {
  check(info.H > 0 && info.W > 0, name, " is an image without pixels: ", info.W, " x ", info.H);
  check(info.H <= kMaxPixels / info.W, name, " has ", info.W, " x ", info.H, " pixels, more than the ", kMaxPixels,
        " that are read; cut it into parts, or make it smaller");
  if (info.format == ImageInfo::Format::jpeg) {
    check(info.channels != 4, name, " is a CMYK JPEG, made for printing; save it as RGB");
    check(info.channels == 1 || info.channels == 3, name, " is a JPEG of ", info.channels,
          " channels; grey and colour images are read: save it as RGB");
    check(info.bits == 8, name, " is a JPEG of ", info.bits, " bits a value; save it with 8");
  }
}

ImageInfo any_info(std::string_view bytes, const std::string& name, int64_t page) {
  if (bytes.starts_with("\xFF\xD8")) return jpeg_header(bytes, name, false).info;
  if (bytes.starts_with(std::string_view("\x89PNG\r\n\x1A\n", 8))) return png_info(bytes, name);
  if (bytes.starts_with("BM")) return bmp_info(bytes, name);
  if (is_tiff(bytes)) return tiff_info(bytes, page, name);
  if (is_gif(bytes)) return gif_info(bytes, name);
  check(!bytes.empty(), name, " is empty");
  throw Error(
      name +
      " is no image that can be read: it is neither JPEG, PNG, TIFF, BMP nor GIF by its content; convert it to one");
}

// Turned so that an image of this EXIF orientation stands upright.
template <class T>
Raster<T> upright(Raster<T> image, int orientation) {
  if (orientation == 1) return image;
  const bool swapped = orientation >= 5;
  Raster<T> out = make_raster<T>(swapped ? image.W : image.H, swapped ? image.H : image.W, image.C);
  for (int64_t y = 0; y < out.H; ++y)
    for (int64_t x = 0; x < out.W; ++x) {
      const int64_t across = out.W - 1 - x, up = out.H - 1 - y;
      int64_t i = y, j = x;
      switch (orientation) {
        case 2:
          i = y, j = across;
          break;
        case 3:
          i = up, j = across;
          break;
        case 4:
          i = up, j = x;
          break;
        case 5:
          i = x, j = y;
          break;
        case 6:
          i = across, j = y;
          break;
        case 7:
          i = across, j = up;
          break;
        default:
          i = x, j = up;
          break;
      }
      std::copy_n(image.at(i, j), image.C, out.at(y, x));
    }
  return out;
}

// JPEG and BMP, 8 bits, C = 1 or 3.
Image decode_by_stb(std::string_view bytes, const std::string& name, const ImageInfo& info) {
  if (info.format == ImageInfo::Format::jpeg) {
    // stb paints what is missing grey; a scan holds the end marker nowhere but at its end.
    const size_t scan = jpeg_header(bytes, name, true).scan;
    if (bytes.find("\xFF\xD9", scan) == bytes.npos) refuse_short(name);
    // Progressive files have tables between their scans.
    for (size_t at = scan; (at = bytes.find("\xFF\xC4", at)) != bytes.npos; ++at) huffman_tables(bytes, at, name);
  } else {
    check_bmp_whole(bytes, name, info);
  }
  int width = 0, height = 0, channels = 0;
  forget_stb_failure();
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), int(bytes.size()), &width, &height,
                            &channels, info.channels == 1 ? 1 : 3),
      stbi_image_free);
  const char* reason = stbi_failure_reason();  // none, for example where a later scan names a component of no frame
  check(pixels != nullptr, name, " cannot be read as ", to_string(info.format), " (", reason ? reason : "damaged data",
        "); copy or download it again, or convert it to PNG");
  Image out{height, width, info.channels == 1 ? 1 : 3, {}};
  out.pixels.assign(pixels.get(), pixels.get() + out.H * out.W * out.C);
  return upright(std::move(out), info.orientation);
}

StoredImage upright_tiff(std::string_view bytes, int64_t page, const std::string& name) {
  StoredImage out = read_tiff(bytes, page, name);
  Raster<uint16_t>& raster = out;
  raster = upright(std::move(raster), out.info.orientation);
  return out;
}

// Stored values as 8 bits: C is 1 or 3.
Image displayed(const StoredImage& stored, const std::string& name) {
  const int64_t n = stored.H * stored.W, C = stored.C >= 3 || stored.info.palette ? 3 : 1;
  Image out = make_raster(stored.H, stored.W, C);
  if (stored.info.palette) {
    for (int64_t i = 0; i < n; ++i) {
      const uint16_t index = stored.pixels[size_t(i * stored.C)];
      check(index < stored.palette.size(), name, " is damaged: its palette has no colour ", index);
      std::copy_n(stored.palette[index].begin(), 3, out.pixels.begin() + 3 * i);
    }
    return out;
  }
  int bits = stored.info.bits;
  if (bits == 16) {
    const uint32_t most = *std::max_element(stored.pixels.begin(), stored.pixels.end());
    bits = most < 1u << 12 ? 12 : most < 1u << 14 ? 14 : 16;
  }
  const uint32_t full = (1u << bits) - 1;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < C; ++c) {
      const uint32_t v = std::min<uint32_t>(full, stored.pixels[size_t(i * stored.C + c)]);
      out.pixels[size_t(i * C + c)] = uint8_t((v * 255 + full / 2) / full);
    }
  return out;
}

// The page that a path names, from 0, if it names one and not a file.
constexpr std::string_view kPage = "page_";
bool is_tiff_name(const std::filesystem::path& path) {
  const std::string end = path.extension().string();
  return same_name(end, ".tif") || same_name(end, ".tiff");
}
std::optional<int64_t> page_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::error_code none;
  if (!name.starts_with(kPage) || name.size() == kPage.size() || name.size() > kPage.size() + 9 ||
      !is_tiff_name(path.parent_path()) || !std::filesystem::is_regular_file(path.parent_path(), none))
    return {};
  int64_t number = 0;
  for (const char c : name.substr(kPage.size())) {
    if (c < '0' || c > '9') return {};
    number = 10 * number + (c - '0');
  }
  return number >= 1 ? std::optional(number - 1) : std::nullopt;
}

std::string read_bounded(const std::filesystem::path& image) {
  const std::filesystem::path path = file_of(image);
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  check(none || size <= uint64_t(kMaxBytes), path.string(),
        " is larger than 1 GiB, too large for an image; cut it into parts");
  return read_file(path);
}

}  // namespace

Rgb parse_colour(std::string_view colour) {
  Rgb out{};
  bool good = colour.size() == 7 && colour[0] == '#';
  for (size_t i = 1; good && i < 7; ++i) {
    const char c = colour[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    good = digit >= 0;
    out[(i - 1) / 2] = uint8_t(out[(i - 1) / 2] * 16 + digit);
  }
  check(good, "the colour '", colour, "' is not written as #rrggbb, for example #e69f00");
  return out;
}

const char* to_string(ImageInfo::Format format) {
  switch (format) {
    case ImageInfo::Format::jpeg:
      return "JPEG";
    case ImageInfo::Format::png:
      return "PNG";
    case ImageInfo::Format::bmp:
      return "BMP";
    case ImageInfo::Format::tiff:
      return "TIFF";
    case ImageInfo::Format::gif:
      return "GIF";
  }
  return "";
}

ImageInfo image_info(std::string_view bytes, const std::string& name, int64_t page) {
  const ImageInfo info = any_info(bytes, name, page);
  check_info(info, name);
  return info;
}

ImageInfo image_info(const std::filesystem::path& path) {
  constexpr size_t kEnough = 1 << 17;  // of nearly every file; a JPEG's frame may follow a long preview
  const std::optional<int64_t> page = page_of(path);
  const std::filesystem::path holder = file_of(path);
  check_regular(holder);
  std::ifstream file(holder, std::ios::binary);
  std::string start(kEnough, '\0');
  file.read(start.data(), std::streamsize(kEnough));
  start.resize(size_t(std::max<std::streamsize>(0, file.gcount())));
  if (is_tiff(start)) {  // the header stands anywhere
    const ImageInfo info = tiff_info(holder, page.value_or(0));
    check_info(info, path.string());
    return info;
  }
  if (start.size() == kEnough && start.starts_with("\xFF\xD8")) {
    try {
      return image_info(start, path.string());
    } catch (const Error&) {
      return image_info(read_bounded(path), path.string());
    }
  }
  return start.empty() ? image_info(read_file(path), path.string()) : image_info(start, path.string());
}

bool is_image_name(const std::filesystem::path& path) {
  const std::string end = path.extension().string();
  return same_name(end, ".png") || same_name(end, ".jpg") || same_name(end, ".jpeg") || same_name(end, ".bmp") ||
         same_name(end, ".gif") || is_tiff_name(path);
}

std::vector<std::filesystem::path> pages_of(const std::filesystem::path& file) {
  if (!is_tiff_name(file)) return {file};
  int64_t pages = 1;
  try {
    pages = tiff_pages(file);
  } catch (const Error&) {  // who reads it says so
  }
  if (pages <= 1) return {file};
  const size_t width = std::to_string(pages).size();
  std::vector<std::filesystem::path> out;
  for (int64_t i = 1; i <= pages; ++i) {
    const std::string number = std::to_string(i);
    out.push_back(file / (std::string(kPage) + std::string(width - number.size(), '0') + number));
  }
  return out;
}
std::filesystem::path file_of(const std::filesystem::path& image) {
  return page_of(image) ? image.parent_path() : image;
}

Image with_channels(Image image, int channels) {
  if (channels == 0 || image.C == channels) return image;
  Image out = make_raster(image.H, image.W, channels);
  for (int64_t i = 0; i < image.H * image.W; ++i) {
    const uint8_t* from = image.pixels.data() + i * image.C;
    uint8_t* to = out.pixels.data() + i * channels;
    if (channels == 3) to[0] = to[1] = to[2] = from[0];
    else to[0] = uint8_t((299 * from[0] + 587 * from[1] + 114 * from[2] + 500) / 1000);
  }
  return out;
}

Image decode_image(std::string_view bytes, const std::string& name, int channels, int64_t page) {
  check(channels == 0 || channels == 1 || channels == 3, "decode_image: channels=", channels, " is none of 0, 1 and 3");
  const ImageInfo info = image_info(bytes, name, page);
  switch (info.format) {
    case ImageInfo::Format::png:
      return with_channels(read_png(bytes, name), channels);
    case ImageInfo::Format::tiff:
      return with_channels(displayed(upright_tiff(bytes, page, name), name), channels);
    case ImageInfo::Format::gif:
      return with_channels(displayed(read_gif(bytes, name), name), channels);
    case ImageInfo::Format::jpeg:
    case ImageInfo::Format::bmp:
      break;
  }
  return with_channels(decode_by_stb(bytes, name, info), channels);
}
Image read_image(const std::filesystem::path& path, int channels) {
  return decode_image(read_bounded(path), path.string(), channels, page_of(path).value_or(0));
}

StoredImage decode_stored(std::string_view bytes, const std::string& name, int64_t page) {
  StoredImage out;
  out.info = image_info(bytes, name, page);
  if (out.info.format == ImageInfo::Format::tiff) return upright_tiff(bytes, page, name);
  if (out.info.format == ImageInfo::Format::gif) return read_gif(bytes, name);
  Raster<uint16_t>& raster = out;
  if (out.info.format == ImageInfo::Format::png) {
    raster = read_png_stored(bytes, name, out.palette);
  } else {
    const Image image = decode_by_stb(bytes, name, out.info);
    raster = {image.H, image.W, image.C, {image.pixels.begin(), image.pixels.end()}};
  }
  return out;
}
StoredImage read_stored(const std::filesystem::path& path) {
  return decode_stored(read_bounded(path), path.string(), page_of(path).value_or(0));
}

std::string encode_png(const Image& image, std::span<const Rgb> palette, int level) {
  check(image.H > 0 && image.W > 0 && image.H <= kMaxPixels / image.W, "a PNG of ", image.W, " x ", image.H,
        " pixels cannot be written");
  check((image.C == 1 || image.C == 3 || image.C == 4) && int64_t(image.pixels.size()) == image.H * image.W * image.C,
        "a PNG holds 1, 3 or 4 channels and a value for each; got ", image.C, " and ", image.pixels.size(), " values");
  check(palette.empty() || (image.C == 1 && palette.size() <= 256),
        "a palette of at most 256 colours belongs to one channel of indices");
  if (!palette.empty())
    for (const uint8_t index : image.pixels)
      check(index < palette.size(), "a PNG's palette of ", palette.size(), " colours has none for the index ",
            int(index));
  return write_png(image, palette, level);
}

Image resize(const Image& image, int64_t H, int64_t W) { return resize_part(image, 0, 0, image.H, image.W, H, W); }

Image resize_part(const Image& image, int64_t y, int64_t x, int64_t h, int64_t w, int64_t H, int64_t W) {
  check(y >= 0 && x >= 0 && h > 0 && w > 0 && y + h <= image.H && x + w <= image.W, "resize: the part ", w, " x ", h,
        " at (", x, ", ", y, ") is not inside an image of ", image.W, " x ", image.H);
  check(H > 0 && W > 0 && H <= kMaxPixels / W, "resize: ", W, " x ", H, " is not the size of an image");
  Image out = make_raster(H, W, image.C);
  if (h == H && w == W) {
    for (int64_t i = 0; i < H; ++i) std::copy_n(image.at(y + i, x), W * image.C, out.at(i, 0));
    return out;
  }
  const int done =
      stbir_resize_uint8_generic(image.at(y, x), int(w), int(h), int(image.W * image.C), out.at(0, 0), int(W), int(H),
                                 int(W * image.C), int(image.C), STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
                                 STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr);
  internal_check(done == 1, "an image could not be resized");
  return out;
}

}  // namespace kern::data
