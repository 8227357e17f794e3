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

constexpr Random4 philox_round(PhiloxKey key, Random4 c) {
  const uint64_t a = uint64_t{0xD2511F53} * c.v[0], b = uint64_t{0xCD9E8D57} * c.v[2];
  return {{uint32_t(b >> 32) ^ c.v[1] ^ key.lo, uint32_t(b), uint32_t(a >> 32) ^ c.v[3] ^ key.hi, uint32_t(a)}};
}
constexpr PhiloxKey philox_next(PhiloxKey key) { return {key.lo + 0x9E3779B9, key.hi + 0xBB67AE85}; }

// counter: 128 bits as four words, least significant first.
constexpr Random4 philox(PhiloxKey key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3) {
  Random4 c{{c0, c1, c2, c3}};
  for (int round = 0; round < 10; ++round, key = philox_next(key)) c = philox_round(key, c);
  return c;
}

// 24 bits to [0, 1): exact in float, never 1.
constexpr float to_uniform(uint32_t word) { return float(word >> 8) * 0x1p-24f; }

}  // namespace kern::kernels
