// Philox4x32-10: a counter-based random generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011). The same four words for the same key and counter on every device, in any order, on any number of threads.
#pragma once
#include <array>
#include <cstdint>

namespace kern::kernels {

struct PhiloxKey {
  uint32_t lo = 0, hi = 0;
  bool operator==(const PhiloxKey&) const = default;
};
struct Random4 {
  uint32_t v[4];
  bool operator==(const Random4&) const = default;
};

// counter: 128 bits as four words, least significant first.
constexpr Random4 philox(PhiloxKey key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c0, b = uint64_t{0xCD9E8D57} * c2;
    const uint32_t n0 = uint32_t(b >> 32) ^ c1 ^ key.lo, n2 = uint32_t(a >> 32) ^ c3 ^ key.hi;
    c1 = uint32_t(b);
    c3 = uint32_t(a);
    c0 = n0;
    c2 = n2;
    key.lo += 0x9E3779B9;
    key.hi += 0xBB67AE85;
  }
  return {{c0, c1, c2, c3}};
}

// 24 bits to [0, 1): exact in float, never 1.
constexpr float to_uniform(uint32_t word) { return float(word >> 8) * 0x1p-24f; }

}  // namespace kern::kernels
