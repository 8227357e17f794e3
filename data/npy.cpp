#include "data/npy.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "engine/agreement.h"
#include "engine/communicator.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr int64_t kLongestHeader = 1 << 16;

// What stands behind 'key': in the header's dictionary, up to the next key.
std::string_view value_of(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  return at == std::string_view::npos ? std::string_view() : header.substr(at + key.size());
}

struct Kind {
  std::string_view code;
  SegyFormat format;
};
constexpr Kind kKinds[] = {{"f4", SegyFormat::float32}, {"f8", SegyFormat::float64}, {"i1", SegyFormat::int8},
                           {"i2", SegyFormat::int16},   {"i4", SegyFormat::int32},   {"i8", SegyFormat::int64},
                           {"u1", SegyFormat::uint8},   {"b1", SegyFormat::uint8},   {"u2", SegyFormat::uint16},
                           {"u4", SegyFormat::uint32},  {"u8", SegyFormat::uint64}};

}  // namespace

NpyFile::NpyFile(const std::filesystem::path& path) : name_(path.string()) {
  check_regular(path);
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(descriptor_ >= 0, "cannot read ", name_, ": ", std::strerror(errno));
  try {
    read_header();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

NpyFile::~NpyFile() { ::close(descriptor_); }

void NpyFile::read_header() {
  std::byte start[12];
  read_bytes(0, std::span(start).first(10));
  check(std::memcmp(start, kMagic.data(), kMagic.size()) == 0, name_,
        " is no .npy file: it does not begin as numpy.save writes them");
  const int version = int(start[6]);
  check(version >= 1 && version <= 3, name_, " is of .npy version ", version, "; 1 to 3 are known");
  const int width = version == 1 ? 2 : 4;
  read_bytes(8, std::span(start).subspan(8, size_t(width)));
  const auto length = int64_t(load_bytes(start + 8, width, ByteOrder::little));
  check(length <= kLongestHeader, name_, " has a header of ", length, " bytes: it is damaged");
  std::string header(size_t(length), ' ');
  read_bytes(8 + width, std::as_writable_bytes(std::span(header)));
  data_start_ = 8 + width + length;

  const std::string_view order = value_of(header, "'fortran_order':");
  check(order.find("False") < order.find("True"), name_,
        " is in Fortran order: save it with numpy.ascontiguousarray(cube), inlines first, samples last");
  const std::string_view described = value_of(header, "'descr':");
  const size_t quote = described.find('\'');
  const std::string_view type = quote == described.npos ? "" : described.substr(quote + 1, 3);
  const Kind* kind = nullptr;
  for (const Kind& k : kKinds)
    if (type.size() == 3 && type.substr(1) == k.code && described.substr(quote + 4, 1) == "'") kind = &k;
  check(kind && std::string_view("<>|=").find(type[0]) != std::string_view::npos, name_, " holds numbers of type '",
        type, "'; save it as float32, float64 or integers, with cube.astype('float32')");
  format_ = kind->format;
  constexpr bool kBig = std::endian::native == std::endian::big;
  order_ = type[0] == '>' || (type[0] == '=' && kBig) ? ByteOrder::big : ByteOrder::little;

  std::string_view shape = value_of(header, "'shape':");
  const size_t open = shape.find('('), close = shape.find(')');
  check(open < close && close != shape.npos, name_, " does not say its shape: it is damaged");
  shape = shape.substr(open + 1, close - open - 1);
  size_ = 1;
  while (!shape.empty()) {
    const size_t digit = shape.find_first_not_of(" ,");
    if (digit == shape.npos) break;
    int64_t n = -1;
    const auto [end, error] = std::from_chars(shape.data() + digit, shape.data() + shape.size(), n);
    check(error == std::errc() && n >= 0 && (n == 0 || size_ <= (int64_t{1} << 48) / n), name_,
          " has a shape that makes no sense: it is damaged");
    size_ *= n;
    shape_.push_back(n);
    shape = shape.substr(size_t(end - shape.data()));
  }
  const int64_t there = ::lseek(descriptor_, 0, SEEK_END), expected = data_start_ + size_ * bytes_of(format_);
  check(there >= expected, name_, " is cut short: ", there, " bytes, ", expected, " expected");
}

void NpyFile::read_bytes(int64_t from, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t n = ::pread(descriptor_, to.data(), to.size(), off_t(from));
    if (n < 0 && errno == EINTR) continue;
    check(n > 0, name_, " ends before its data do: it is no .npy file, or cut short");
    from += n;
    to = to.subspan(size_t(n));
  }
}

void NpyFile::read(int64_t first, std::span<float> values) const {
  internal_check(first >= 0 && first + int64_t(values.size()) <= size_, "values outside the array");
  const int64_t width = bytes_of(format_);
  std::vector<std::byte> bytes(values.size() * size_t(width));
  read_bytes(data_start_ + first * width, bytes);
  decode_samples(format_, order_, bytes.data(), values);
}

NpyWriter::NpyWriter(const std::filesystem::path& path, std::span<const int64_t> shape, AtomicFile::Temporary temporary)
    : file_(path, temporary), shared_(temporary == AtomicFile::Temporary::shared) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const int64_t n : shape) header += std::to_string(n) + ",", size_ *= n;
  header += "), }";
  // Values begin at a multiple of 64 bytes; the header ends with a line feed.
  header.append((64 - (kMagic.size() + 4 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string start(kMagic);
  start += {'\x01', '\x00', char(header.size() & 0xff), char(header.size() >> 8)};
  start += header;
  data_start_ = int64_t(start.size());
  if (!shared_) {
    file_.write(start);
  } else if (communicator().root()) {
    file_.extend(data_start_ + size_ * int64_t(sizeof(float)));
    file_.write_at(0, start.data(), start.size());
  }
}

void NpyWriter::write(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little, "floats are written as they lie");
  file_.write(values.data(), values.size_bytes());
  written_ += int64_t(values.size());
}

void NpyWriter::write_at(int64_t first, std::span<const float> values) {
  file_.write_at(data_start_ + first * int64_t(sizeof(float)), values.data(), values.size_bytes());
  written_ += int64_t(values.size());
}

void NpyWriter::commit() {
  int64_t written = written_;
  if (shared_) {
    written = 0;
    for (const std::string& theirs : agree(std::to_string(written_))) written += std::stoll(theirs);
  }
  internal_check(written == size_, size_ - written, " values of a .npy file are missing");
  file_.commit();
}

}  // namespace kern::data
