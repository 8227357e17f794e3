#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "kernels/common/error.h"

namespace kern::data {
namespace {
constexpr uint64_t kLargest = uint64_t(4) << 30;
constexpr uint64_t kAlwaysAllowed = uint64_t(64) << 20;
constexpr uint64_t kLargestRatio = 200;  // logs pack to a fifth or a tenth

struct Inflater {
  z_stream stream{};
  Inflater() { internal_check(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, "zlib does not start"); }  // 16: gzip only
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};
}  // namespace

std::string gunzip(std::string_view packed, const std::string& shown_name) {
  const uint64_t limit = std::min(kLargest, std::max(kAlwaysAllowed, kLargestRatio * packed.size()));
  constexpr size_t kChunk = 1 << 18;
  const auto buffer = std::make_unique<unsigned char[]>(kChunk);
  Inflater inflater;
  z_stream& z = inflater.stream;
  std::string out;
  size_t fed = 0;
  bool member_open = true;
  while (member_open) {
    if (z.avail_in == 0) {
      z.avail_in = uInt(std::min<size_t>(packed.size() - fed, 1 << 30));
      z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + fed));
      fed += z.avail_in;
    }
    z.next_out = buffer.get();
    z.avail_out = kChunk;
    const int state = inflate(&z, Z_NO_FLUSH);
    const size_t produced = kChunk - z.avail_out;
    check(out.size() + produced <= limit, shown_name, " unpacks to more than ", limit >> 20, " MiB, ",
          limit / std::max<size_t>(packed.size(), 1),
          " times its own size, which no table does; unpack it yourself if you trust it");
    out.append(reinterpret_cast<const char*>(buffer.get()), produced);
    if (state == Z_STREAM_END) {
      const size_t left = z.avail_in + (packed.size() - fed);
      if (left == 0) {
        member_open = false;
      } else {
        check(is_gzip(packed.substr(packed.size() - left)), shown_name,
              ": something that is not gzip follows the packed data; was the file joined with another?");
        inflateReset(&z);
      }
    } else if (state != Z_OK) {
      check(state != Z_BUF_ERROR, shown_name, " is cut short: the packed data end early; copy or download it again");
      throw Error(text(shown_name, " is damaged: ", z.msg ? z.msg : "the packed data make no sense",
                       "; copy or download it again"));
    }
  }
  return out;
}

std::string gzip(std::string_view bytes) {
  z_stream z{};
  internal_check(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib does not start");
  std::string out(size_t(deflateBound(&z, uLong(bytes.size()))), '\0');
  size_t fed = 0, written = 0;
  for (int state = Z_OK; state == Z_OK;) {  // zlib counts in 32 bits
    const size_t in = std::min<size_t>(bytes.size() - fed, 1 << 30),
                 room = std::min<size_t>(out.size() - written, 1 << 30);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + fed)), z.avail_in = uInt(in);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + written), z.avail_out = uInt(room);
    state = deflate(&z, fed + in == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    fed += in - z.avail_in, written += room - z.avail_out;
  }
  deflateEnd(&z);
  out.resize(written);
  return out;
}

}  // namespace kern::data
