// Protocol buffers' wire format (https://protobuf.dev/programming-guides/encoding/): what ONNX files and TensorBoard's event
// files are made of. A message is a sequence of fields, each a number, a wire type and a value; nested messages are
// bytes with a length before them.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kern {

// A message that is put together field by field, in the order of the calls.
class ProtoWriter {
 public:
  ProtoWriter& integer(int field, int64_t value);  // int32, int64, bool, enum
  ProtoWriter& real(int field, float value);       // float
  ProtoWriter& wide_real(int field, double value);
  ProtoWriter& text(int field, std::string_view bytes);  // string, bytes
  ProtoWriter& message(int field, const ProtoWriter& inner) { return text(field, inner.bytes_); }
  ProtoWriter& integers(int field, std::span<const int64_t> values);  // packed
  ProtoWriter& reals(int field, std::span<const float> values);       // packed
  ProtoWriter& wide_reals(int field, std::span<const double> values);
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t value);
  void key(int field, int wire_type) { varint(uint64_t(field) << 3 | uint64_t(wire_type)); }
  std::string bytes_;
};

// Reads a message's fields one after another; unknown ones are passed over by whoever reads. Errors are the caller's to
// word: a damaged message ends with damaged() true.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}
  // The next field, or false at the end and where the message is damaged.
  bool next();
  int field() const { return field_; }
  bool is_integer() const { return wire_type_ == 0; }
  bool is_bytes() const { return wire_type_ == 2; }
  int64_t integer() const { return int64_t(value_); }  // is_integer(); of fixed32 and fixed64 their bits
  std::string_view bytes() const { return bytes_; }    // is_bytes()
  bool damaged() const { return damaged_; }
  // Takes one number of packed integers off the front; nothing where there is none.
  static std::optional<uint64_t> take_varint(std::string_view& from);

 private:
  std::string_view rest_, bytes_;
  int field_ = 0, wire_type_ = 0;
  uint64_t value_ = 0;
  bool damaged_ = false;
};

}  // namespace kern
