#include "data/segy_header.h"

#include <limits>

#include "data/encoding.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int kColumns = 80, kRows = 40;

// Code page 037, as used by IBM machines for English: the Latin-1 character of every byte.
constexpr uint8_t kLatinOf[256] = {
    0x00, 0x01, 0x02, 0x03, 0x9c, 0x09, 0x86, 0x7f, 0x97, 0x8d, 0x8e, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12,
    0x13, 0x9d, 0x85, 0x08, 0x87, 0x18, 0x19, 0x92, 0x8f, 0x1c, 0x1d, 0x1e, 0x1f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x0a,
    0x17, 0x1b, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x05, 0x06, 0x07, 0x90, 0x91, 0x16, 0x93, 0x94, 0x95, 0x96, 0x04, 0x98,
    0x99, 0x9a, 0x9b, 0x14, 0x15, 0x9e, 0x1a, 0x20, 0xa0, 0xe2, 0xe4, 0xe0, 0xe1, 0xe3, 0xe5, 0xe7, 0xf1, 0xa2, 0x2e,
    0x3c, 0x28, 0x2b, 0x7c, 0x26, 0xe9, 0xea, 0xeb, 0xe8, 0xed, 0xee, 0xef, 0xec, 0xdf, 0x21, 0x24, 0x2a, 0x29, 0x3b,
    0xac, 0x2d, 0x2f, 0xc2, 0xc4, 0xc0, 0xc1, 0xc3, 0xc5, 0xc7, 0xd1, 0xa6, 0x2c, 0x25, 0x5f, 0x3e, 0x3f, 0xf8, 0xc9,
    0xca, 0xcb, 0xc8, 0xcd, 0xce, 0xcf, 0xcc, 0x60, 0x3a, 0x23, 0x40, 0x27, 0x3d, 0x22, 0xd8, 0x61, 0x62, 0x63, 0x64,
    0x65, 0x66, 0x67, 0x68, 0x69, 0xab, 0xbb, 0xf0, 0xfd, 0xfe, 0xb1, 0xb0, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70,
    0x71, 0x72, 0xaa, 0xba, 0xe6, 0xb8, 0xc6, 0xa4, 0xb5, 0x7e, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0xa1,
    0xbf, 0xd0, 0xdd, 0xde, 0xae, 0x5e, 0xa3, 0xa5, 0xb7, 0xa9, 0xa7, 0xb6, 0xbc, 0xbd, 0xbe, 0x5b, 0x5d, 0xaf, 0xa8,
    0xb4, 0xd7, 0x7b, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0xad, 0xf4, 0xf6, 0xf2, 0xf3, 0xf5, 0x7d,
    0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0xb9, 0xfb, 0xfc, 0xf9, 0xfa, 0xff, 0x5c, 0xf7, 0x53, 0x54,
    0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0xb2, 0xd4, 0xd6, 0xd2, 0xd3, 0xd5, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36,
    0x37, 0x38, 0x39, 0xb3, 0xdb, 0xdc, 0xd9, 0xda, 0x9f,
};

constexpr SegyField kBinary[] = {binary_field::line,           binary_field::ensemble_traces,
                                 binary_field::interval,       binary_field::original_interval,
                                 binary_field::samples,        binary_field::original_samples,
                                 binary_field::format,         binary_field::fold,
                                 binary_field::sorting,        binary_field::measurement,
                                 binary_field::long_samples,   binary_field::long_interval,
                                 binary_field::order_constant, binary_field::major_revision,
                                 binary_field::minor_revision, binary_field::fixed_length,
                                 binary_field::extended_texts, binary_field::more_trace_headers,
                                 binary_field::first_trace,    binary_field::trailers};
constexpr SegyField kTrace[] = {trace_field::line_sequence,    trace_field::file_sequence,
                                trace_field::field_record,     trace_field::record_trace,
                                trace_field::source_point,     trace_field::ensemble,
                                trace_field::ensemble_trace,   trace_field::identification,
                                trace_field::offset,           trace_field::coordinate_scalar,
                                trace_field::source_x,         trace_field::source_y,
                                trace_field::group_x,          trace_field::group_y,
                                trace_field::coordinate_units, trace_field::delay,
                                trace_field::samples,          trace_field::interval,
                                trace_field::weighting,        trace_field::ensemble_x,
                                trace_field::ensemble_y,       trace_field::inline_number,
                                trace_field::crossline_number, trace_field::shot_point,
                                trace_field::time_scalar};

size_t place(std::span<const std::byte> header, const SegyField& field) {
  const int from = field.byte > kSegyText ? field.byte - int(kSegyText) - 1 : field.byte - 1;
  internal_check(from >= 0 && size_t(from + field.width) <= header.size(), "the field ", field.name, " at byte ",
                 field.byte, " is outside a header of ", header.size(), " bytes");
  return size_t(from);
}

}  // namespace

std::span<const SegyField> binary_fields() { return kBinary; }
std::span<const SegyField> trace_fields() { return kTrace; }

SegyField trace_field_at(std::string_view option, int byte) {
  check(byte >= 1 && byte + 3 <= kSegyTraceHeader, option, "=", byte,
        " is no place in a trace header: give the first byte of a 4-byte number, 1 to ", kSegyTraceHeader - 3);
  return {option, byte, 4};
}

int64_t get_field(std::span<const std::byte> header, const SegyField& field, ByteOrder order) {
  const uint64_t raw = load_bytes(header.data() + place(header, field), field.width, order);
  const int unused = 64 - 8 * field.width;
  if (field.is_signed) return int64_t(raw << unused) >> unused;
  constexpr auto kMax = uint64_t(std::numeric_limits<int64_t>::max());
  return int64_t(raw > kMax ? kMax : raw);
}

void put_field(std::span<std::byte> header, const SegyField& field, ByteOrder order, int64_t value) {
  store_bytes(header.data() + place(header, field), field.width, order, uint64_t(value));
}

double scaled(int64_t value, int64_t scalar) {
  if (scalar == 0) return double(value);
  return scalar > 0 ? double(value) * double(scalar) : double(value) / -double(scalar);
}

SegyText read_text_header(std::span<const std::byte> bytes) {
  // Text is mostly letters and blanks; a blank is 0x40 in EBCDIC and 0x20 in ASCII, and EBCDIC's letters and digits are
  // above 0x80, where ASCII has nothing.
  size_t ebcdic = 0, ascii = 0;
  for (const std::byte b : bytes) {
    const auto c = std::to_integer<uint8_t>(b);
    ebcdic += c == 0x40 || c >= 0x81;
    ascii += c == 0x20 || (c >= 0x30 && c < 0x40) || (c > 0x40 && c < 0x7f);
  }
  SegyText text{.ebcdic = ebcdic > ascii, .lines = {}};
  for (size_t from = 0; from < bytes.size(); from += kColumns) {
    std::string line;
    for (size_t i = from; i < std::min(bytes.size(), from + kColumns); ++i) {
      auto c = std::to_integer<uint8_t>(bytes[i]);
      if (text.ebcdic) c = kLatinOf[c];
      line += c < 0x20 || c == 0x7f || (text.ebcdic && c >= 0x80 && c < 0xa0) ? ' ' : char(c);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text.lines.push_back(to_utf8(line));
  }
  return text;
}

std::vector<std::byte> write_text_header(const std::vector<std::string>& lines) {
  std::vector<std::byte> out(size_t(kSegyText), std::byte(0x40));
  for (size_t row = 0; row < lines.size() && row < kRows; ++row)
    for (size_t i = 0; i < lines[row].size() && i < kColumns; ++i) {
      const auto c = uint8_t(lines[row][i]);
      uint8_t code = 0x6f;  // '?'
      for (int e = 0; e < 256 && c < 0x80; ++e)
        if (kLatinOf[e] == c) code = uint8_t(e);
      out[row * kColumns + i] = std::byte(code);
    }
  return out;
}

bool add_text_line(std::span<std::byte> header, std::string_view line) {
  const SegyText before = read_text_header(header);
  // A free line is blank, or has its number alone: "C12".
  const auto is_free = [&](size_t row) {
    const std::string& s = before.lines[row];
    return s.find_first_not_of("C 0123456789") == s.npos && s.size() <= 4;
  };
  const auto closes = [&](size_t row) {
    return before.lines[row].find("SEG Y REV") != std::string::npos ||
           before.lines[row].find("END ") != std::string::npos;
  };
  size_t end = before.lines.size();
  while (end > 0 && closes(end - 1)) --end;
  size_t row = end;
  while (row > 0 && is_free(row - 1)) --row;
  if (row == end) {
    while (row > 0 && !is_free(row - 1)) --row;
    if (row-- == 0) return false;
  }
  std::vector<std::string> lines(row + 1);
  lines[row] = text(row < 9 ? "C " : "C", row + 1, " ", line);
  std::vector<std::byte> coded = write_text_header(lines);
  const size_t at = row * kColumns;
  for (size_t i = 0; i < kColumns; ++i) {
    const auto plain = i < lines[row].size() ? std::byte(lines[row][i]) : std::byte(' ');
    header[at + i] = before.ebcdic ? coded[at + i] : plain;
  }
  return true;
}

}  // namespace kern::data
