#include "data/gif.h"

#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

struct Memory {
  std::string_view bytes;
  size_t at = 0;
};
int read_memory(GifFileType* gif, GifByteType* to, int n) {
  auto* m = static_cast<Memory*>(gif->UserData);
  const size_t got = std::min(size_t(n), m->bytes.size() - m->at);
  if (got > 0) std::memcpy(to, m->bytes.data() + m->at, got);
  m->at += got;
  return int(got);
}

// A file that giflib has open, read up to its first image.
class Gif {
 public:
  Gif(std::string_view bytes, const std::string& name) : name_(name), memory_{bytes} {
    int why = 0;
    gif_.reset(DGifOpen(&memory_, read_memory, &why));
    if (!gif_) refuse(why);
  }

  StoredImage read() {
    go_to_image();
    if (DGifGetImageDesc(gif_.get()) == GIF_ERROR) refuse(gif_->Error);
    const GifImageDesc& part = gif_->Image;
    const ColorMapObject* colours = part.ColorMap ? part.ColorMap : gif_->SColorMap;
    check(colours != nullptr, name_, " is a GIF without a palette: convert it to PNG");
    const int64_t H = gif_->SHeight, W = gif_->SWidth, y = part.Top, x = part.Left, h = part.Height, w = part.Width;
    check(h > 0 && w > 0 && y + h <= H && x + w <= W, name_, " is a damaged GIF: its image of ", w, " x ", h, " at (",
          x, ", ", y, ") is not inside its screen of ", W, " x ", H, "; convert it to PNG");
    StoredImage out;
    Raster<uint16_t>& raster = out;
    raster = make_raster<uint16_t>(H, W, 1, gif_->SBackGroundColor < colours->ColorCount ? gif_->SBackGroundColor : 0);
    std::vector<GifPixelType> row(static_cast<size_t>(w));
    // Rows of an interlaced image come in four passes: every eighth, those between, and so on.
    constexpr int64_t kFirst[] = {0, 4, 2, 1}, kStep[] = {8, 8, 4, 2};
    for (int pass = 0; pass < (part.Interlace ? 4 : 1); ++pass)
      for (int64_t i = part.Interlace ? kFirst[pass] : 0; i < h; i += part.Interlace ? kStep[pass] : 1) {
        if (DGifGetLine(gif_.get(), row.data(), int(w)) == GIF_ERROR) refuse(gif_->Error);
        std::copy(row.begin(), row.end(), out.at(y + i, x));
      }
    for (int i = 0; i < colours->ColorCount; ++i)
      out.palette.push_back({colours->Colors[i].Red, colours->Colors[i].Green, colours->Colors[i].Blue});
    return out;
  }

 private:
  void go_to_image() {
    for (;;) {
      GifRecordType record = UNDEFINED_RECORD_TYPE;
      if (DGifGetRecordType(gif_.get(), &record) == GIF_ERROR) refuse(gif_->Error);
      check(record != TERMINATE_RECORD_TYPE, name_, " is a GIF without an image");
      if (record == IMAGE_DESC_RECORD_TYPE) return;
      int kind = 0;
      GifByteType* block = nullptr;
      if (DGifGetExtension(gif_.get(), &kind, &block) == GIF_ERROR) refuse(gif_->Error);
      while (block != nullptr)
        if (DGifGetExtensionNext(gif_.get(), &block) == GIF_ERROR) refuse(gif_->Error);
    }
  }
  [[noreturn]] void refuse(int why) const {
    const char* said = GifErrorString(why);
    throw Error(text(name_, " cannot be read as GIF (", said ? said : "damaged data",
                     "); copy or download it again, or convert it to PNG"));
  }

  std::string name_;
  Memory memory_;
  struct Close {
    void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
  };
  std::unique_ptr<GifFileType, Close> gif_;
};

}  // namespace

bool is_gif(std::string_view bytes) { return bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a"); }

ImageInfo gif_info(std::string_view bytes, const std::string& name) {
  check(bytes.size() >= 13, name, " is cut short: the image's data end early; copy or download it again");
  auto little16 = [&](size_t i) { return int64_t(uint8_t(bytes[i])) | int64_t(uint8_t(bytes[i + 1])) << 8; };
  return {.format = ImageInfo::Format::gif, .H = little16(8), .W = little16(6), .channels = 1, .palette = true};
}

StoredImage read_gif(std::string_view bytes, const std::string& name) {
  StoredImage out = Gif(bytes, name).read();
  out.info = gif_info(bytes, name);
  return out;
}

}  // namespace kern::data
