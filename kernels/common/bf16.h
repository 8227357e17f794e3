// bf16: the upper half of a float, 8 bits of mantissa with the one that is not written. It is how activations lie in
// memory, no type to compute with: whoever reads one has a float.
#pragma once
#include <bit>
#include <cstdint>

namespace kern {

struct Bf16 {
  uint16_t bits;

  Bf16() = default;
  // The nearest one, ties to even; a NaN stays one.
  constexpr Bf16(float v) : bits(rounded(std::bit_cast<uint32_t>(v))) {}
  constexpr operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }

 private:
  static constexpr uint16_t rounded(uint32_t v) {
    if ((v & 0x7fffffffu) > 0x7f800000u) return uint16_t(v >> 16 | 0x40u);
    return uint16_t((v + 0x7fffu + (v >> 16 & 1)) >> 16);
  }
};
static_assert(sizeof(Bf16) == 2 && Bf16(1.00390625f) == 1.0f && Bf16(1.01171875f) == 1.015625f);

}  // namespace kern
