#include "engine/protobuf.h"

#include <bit>
#include <cstring>

namespace kern {
namespace {
static_assert(std::endian::native == std::endian::little, "protocol buffers' fixed values are little-endian");
enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

template <class T>
std::string_view raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
template <class T>
std::string_view raw(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}
}  // namespace

void ProtoWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(char(value | 0x80));
  bytes_.push_back(char(value));
}

ProtoWriter& ProtoWriter::integer(int field, int64_t value) {
  key(field, kVarint);
  varint(uint64_t(value));
  return *this;
}

ProtoWriter& ProtoWriter::real(int field, float value) {
  key(field, kFixed32);
  bytes_.append(raw(value));
  return *this;
}

ProtoWriter& ProtoWriter::wide_real(int field, double value) {
  key(field, kFixed64);
  bytes_.append(raw(value));
  return *this;
}

ProtoWriter& ProtoWriter::text(int field, std::string_view bytes) {
  key(field, kBytes);
  varint(bytes.size());
  bytes_.append(bytes);
  return *this;
}

ProtoWriter& ProtoWriter::integers(int field, std::span<const int64_t> values) {
  ProtoWriter packed;
  for (const int64_t v : values) packed.varint(uint64_t(v));
  return text(field, packed.bytes_);
}

ProtoWriter& ProtoWriter::reals(int field, std::span<const float> values) { return text(field, raw(values)); }
ProtoWriter& ProtoWriter::wide_reals(int field, std::span<const double> values) { return text(field, raw(values)); }

std::optional<uint64_t> ProtoReader::take_varint(std::string_view& from) {
  uint64_t value = 0;
  for (size_t i = 0; i < from.size() && i < 10; ++i) {
    const auto byte = uint8_t(from[i]);
    value |= uint64_t(byte & 0x7f) << (7 * i);
    if (byte & 0x80) continue;
    from.remove_prefix(i + 1);
    return value;
  }
  return {};
}

bool ProtoReader::next() {
  if (damaged_ || rest_.empty()) return false;
  damaged_ = true;  // unless all below is found right
  const std::optional<uint64_t> key = take_varint(rest_);
  if (!key || *key >> 3 == 0 || *key >> 3 >= 1 << 29) return false;
  field_ = int(*key >> 3);
  wire_type_ = int(*key & 7);
  const auto fixed = [&](size_t width) {
    if (rest_.size() < width) return false;
    value_ = 0;
    std::memcpy(&value_, rest_.data(), width);
    rest_.remove_prefix(width);
    return true;
  };
  switch (wire_type_) {
    case kVarint: {
      const std::optional<uint64_t> value = take_varint(rest_);
      if (!value) return false;
      value_ = *value;
      break;
    }
    case kFixed64:
      if (!fixed(8)) return false;
      break;
    case kFixed32:
      if (!fixed(4)) return false;
      break;
    case kBytes: {
      const std::optional<uint64_t> length = take_varint(rest_);
      if (!length || *length > rest_.size()) return false;
      bytes_ = rest_.substr(0, size_t(*length));
      rest_.remove_prefix(size_t(*length));
      break;
    }
    default:  // groups went out of use long before ONNX
      return false;
  }
  damaged_ = false;
  return true;
}

}  // namespace kern
