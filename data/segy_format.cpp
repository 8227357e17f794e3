#include "data/segy_format.h"

#include <bit>
#include <cmath>
#include <limits>

namespace kern::data {
namespace {

struct Row {
  SegyFormat format;
  const char* name;
  int bytes;
};
constexpr Row kRows[] = {
    {SegyFormat::ibm_float32, "4-byte IBM float", 4},   {SegyFormat::int32, "4-byte integer", 4},
    {SegyFormat::int16, "2-byte integer", 2},           {SegyFormat::gain_float32, "4-byte fixed point with gain", 4},
    {SegyFormat::float32, "4-byte IEEE float", 4},      {SegyFormat::float64, "8-byte IEEE float", 8},
    {SegyFormat::int24, "3-byte integer", 3},           {SegyFormat::int8, "1-byte integer", 1},
    {SegyFormat::int64, "8-byte integer", 8},           {SegyFormat::uint32, "4-byte unsigned integer", 4},
    {SegyFormat::uint16, "2-byte unsigned integer", 2}, {SegyFormat::uint64, "8-byte unsigned integer", 8},
    {SegyFormat::uint24, "3-byte unsigned integer", 3}, {SegyFormat::uint8, "1-byte unsigned integer", 1},
};
constexpr SegyFormat kFormats[] = {
    SegyFormat::ibm_float32, SegyFormat::int32,  SegyFormat::int16,  SegyFormat::gain_float32, SegyFormat::float32,
    SegyFormat::float64,     SegyFormat::int24,  SegyFormat::int8,   SegyFormat::int64,        SegyFormat::uint32,
    SegyFormat::uint16,      SegyFormat::uint64, SegyFormat::uint24, SegyFormat::uint8};

const Row& row_of(SegyFormat format) {
  for (const Row& row : kRows)
    if (row.format == format) return row;
  return kRows[0];
}

// Sign, 7 bits of exponent to the base 16 with an excess of 64, 24 bits of fraction. Every value above 2^128 becomes
// infinite, every one below 2^-149 zero; nothing else is lost, for the fraction has no more bits than a float's.
float from_ibm(uint32_t word) {
  const float fraction = float(word & 0x00ffffffu);
  const int exponent = 4 * (int(word >> 24 & 0x7fu) - 64) - 24;
  // In two steps, each a power of two that a float holds; ldexp in loops is slow.
  const auto power = [](int e) { return std::bit_cast<float>(uint32_t(e + 127) << 23); };
  const int half = exponent / 2;
  const float value = fraction * power(half) * power(exponent - half);
  return word >> 31 ? -value : value;
}

// IBM has no NaN and no infinity: those become 0 and the largest number. The fraction is rounded to nearest.
uint32_t to_ibm(float value) {
  const uint32_t sign = std::signbit(value) ? 0x80000000u : 0;
  if (std::isnan(value) || value == 0) return std::isnan(value) ? 0 : sign;
  if (std::isinf(value)) return sign | 0x7fffffffu;
  int exponent;
  const float fraction = std::frexp(std::abs(value), &exponent);  // in [0.5, 1)
  const int sixteens = (exponent + 3 + 400) / 4 - 100;            // the least one with 16^sixteens > |value|
  const double scaled = std::ldexp(double(fraction), exponent - 4 * sixteens + 24);
  uint32_t bits = uint32_t(std::nearbyint(scaled));
  int biased = sixteens + 64;
  if (bits == 0x01000000u) bits >>= 4, ++biased;
  return sign | uint32_t(biased) << 24 | bits;
}

float from_gain(uint32_t word) {
  // Byte 1 is empty, byte 2 the power of two, bytes 3 and 4 the number.
  return std::ldexp(float(int16_t(word & 0xffffu)), int(word >> 16 & 0xffu));
}
uint32_t to_gain(float value) {
  if (std::isnan(value)) return 0;
  int gain = 0;
  double v = double(value);
  while (std::abs(v) > 32767 && gain < 255) v /= 2, ++gain;
  v = std::nearbyint(std::fmax(-32768, std::fmin(32767, v)));
  return uint32_t(gain) << 16 | (uint32_t(int32_t(v)) & 0xffffu);
}

int64_t signed_of(uint64_t raw, int width) {
  const int unused = 64 - 8 * width;
  return int64_t(raw << unused) >> unused;
}

// The nearest integer in [low, high] (whose neighbour above high is the float `beyond`).
uint64_t to_integer(float value, int width, bool is_signed) {
  if (std::isnan(value)) return 0;
  const int bits = 8 * width - (is_signed ? 1 : 0);
  const double beyond = std::ldexp(1.0, bits), v = std::nearbyint(double(value));
  const uint64_t most = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  if (v >= beyond) return most;
  if (!is_signed) return v <= 0 ? 0 : uint64_t(v);
  return v <= -beyond ? ~most : uint64_t(int64_t(v));
}

template <int width, ByteOrder order>
uint64_t load(const std::byte* p) {
  uint64_t v = 0;
  for (int i = 0; i < width; ++i)
    v |= uint64_t(std::to_integer<uint8_t>(p[i])) << 8 * (order == ByteOrder::big ? width - 1 - i : i);
  return v;
}
template <int width, ByteOrder order>
void store(std::byte* p, uint64_t v) {
  for (int i = 0; i < width; ++i) p[i] = std::byte(uint8_t(v >> 8 * (order == ByteOrder::big ? width - 1 - i : i)));
}

template <int width, class F>
void decode(ByteOrder order, const std::byte* from, std::span<float> samples, F value) {
  if (order == ByteOrder::big)
    for (float& s : samples) s = value(load<width, ByteOrder::big>(from)), from += width;
  else
    for (float& s : samples) s = value(load<width, ByteOrder::little>(from)), from += width;
}
template <int width, class F>
void encode(ByteOrder order, std::span<const float> samples, std::byte* to, F bits) {
  if (order == ByteOrder::big)
    for (const float s : samples) store<width, ByteOrder::big>(to, bits(s)), to += width;
  else
    for (const float s : samples) store<width, ByteOrder::little>(to, bits(s)), to += width;
}

// f(width, signed) with both as constants, for the integer formats.
template <class F>
void with_integer(SegyFormat format, F f) {
  const auto signed_as = [&]<int width>(std::integral_constant<int, width> w, bool is_signed) {
    is_signed ? f(w, std::true_type{}) : f(w, std::false_type{});
  };
  const bool is_signed = int(format) < int(SegyFormat::uint32);
  switch (bytes_of(format)) {
    case 1:
      return signed_as(std::integral_constant<int, 1>{}, is_signed);
    case 2:
      return signed_as(std::integral_constant<int, 2>{}, is_signed);
    case 3:
      return signed_as(std::integral_constant<int, 3>{}, is_signed);
    case 4:
      return signed_as(std::integral_constant<int, 4>{}, is_signed);
    default:
      return signed_as(std::integral_constant<int, 8>{}, is_signed);
  }
}

}  // namespace

const char* to_string(ByteOrder order) { return order == ByteOrder::big ? "big-endian" : "little-endian"; }
std::span<const SegyFormat> segy_formats() { return kFormats; }
std::optional<SegyFormat> segy_format(int64_t code) {
  for (const Row& row : kRows)
    if (int64_t(row.format) == code) return row.format;
  return std::nullopt;
}
const char* to_string(SegyFormat format) { return row_of(format).name; }
int bytes_of(SegyFormat format) { return row_of(format).bytes; }
bool is_floating(SegyFormat format) {
  return format == SegyFormat::ibm_float32 || format == SegyFormat::float32 || format == SegyFormat::float64;
}

uint64_t load_bytes(const std::byte* from, int width, ByteOrder order) {
  uint64_t v = 0;
  for (int i = 0; i < width; ++i)
    v = v << 8 | std::to_integer<uint64_t>(from[order == ByteOrder::big ? i : width - 1 - i]);
  return v;
}
void store_bytes(std::byte* to, int width, ByteOrder order, uint64_t value) {
  for (int i = 0; i < width; ++i, value >>= 8)
    to[order == ByteOrder::big ? width - 1 - i : i] = std::byte(uint8_t(value));
}

void decode_samples(SegyFormat format, ByteOrder order, const std::byte* from, std::span<float> samples) {
  switch (format) {
    case SegyFormat::ibm_float32:
      return decode<4>(order, from, samples, [](uint64_t raw) { return from_ibm(uint32_t(raw)); });
    case SegyFormat::float32:
      return decode<4>(order, from, samples, [](uint64_t raw) { return std::bit_cast<float>(uint32_t(raw)); });
    case SegyFormat::float64:
      return decode<8>(order, from, samples, [](uint64_t raw) {
        const double v = std::bit_cast<double>(raw);
        if (std::abs(v) > double(std::numeric_limits<float>::max()))  // converting it is undefined behaviour
          return std::copysign(std::numeric_limits<float>::infinity(), float(std::copysign(1.0, v)));
        return float(v);
      });
    case SegyFormat::gain_float32:
      return decode<4>(order, from, samples, [](uint64_t raw) { return from_gain(uint32_t(raw)); });
    default:
      return with_integer(format, [&](auto width, auto is_signed) {
        decode<width()>(order, from, samples, [](uint64_t raw) {
          if constexpr (decltype(is_signed)::value) return float(signed_of(raw, decltype(width)::value));
          else return float(raw);
        });
      });
  }
}

void encode_samples(SegyFormat format, ByteOrder order, std::span<const float> samples, std::byte* to) {
  switch (format) {
    case SegyFormat::ibm_float32:
      return encode<4>(order, samples, to, [](float v) { return uint64_t(to_ibm(v)); });
    case SegyFormat::float32:
      return encode<4>(order, samples, to, [](float v) { return uint64_t(std::bit_cast<uint32_t>(v)); });
    case SegyFormat::float64:
      return encode<8>(order, samples, to, [](float v) { return std::bit_cast<uint64_t>(double(v)); });
    case SegyFormat::gain_float32:
      return encode<4>(order, samples, to, [](float v) { return uint64_t(to_gain(v)); });
    default:
      return with_integer(format, [&](auto width, auto is_signed) {
        encode<width()>(order, samples, to,
                        [](float v) { return to_integer(v, decltype(width)::value, decltype(is_signed)::value); });
      });
  }
}

}  // namespace kern::data
