// The numbers of SEG-Y: sample formats and byte orders (SEG, "SEG-Y revision 2.0", 2017, table 3 and appendix E).
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kern::data {

enum class ByteOrder { big, little };
const char* to_string(ByteOrder order);

// Their values are the codes of bytes 3225-3226.
enum class SegyFormat : int {
  ibm_float32 = 1,
  int32 = 2,
  int16 = 3,
  gain_float32 = 4,  // obsolete: an int16 times a power of two
  float32 = 5,
  float64 = 6,
  int24 = 7,
  int8 = 8,
  int64 = 9,
  uint32 = 10,
  uint16 = 11,
  uint64 = 12,
  uint24 = 15,
  uint8 = 16,
};
std::span<const SegyFormat> segy_formats();
std::optional<SegyFormat> segy_format(int64_t code);  // nothing for a code that stands for no format
const char* to_string(SegyFormat format);             // "4-byte IBM float"
int bytes_of(SegyFormat format);                      // of one sample
bool is_floating(SegyFormat format);                  // whether it holds fractions over a wide range (1, 5, 6)

// An unsigned number of `width` bytes, 1 .. 8, and its writing.
uint64_t load_bytes(const std::byte* from, int width, ByteOrder order);
void store_bytes(std::byte* to, int width, ByteOrder order, uint64_t value);

// samples.size() numbers from or to bytes of the format. What a float cannot hold becomes infinite (float64), what an
// integer cannot hold its nearest number; NaN is written as NaN where the format has one, else as 0.
void decode_samples(SegyFormat format, ByteOrder order, const std::byte* from, std::span<float> samples);
void encode_samples(SegyFormat format, ByteOrder order, std::span<const float> samples, std::byte* to);

}  // namespace kern::data
