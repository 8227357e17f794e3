#include "kernels/common/emulator/matrix.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/common/emulator/block.h"

namespace kern::emulator {
namespace {

struct Operands {
  float c[4];
  uint32_t a[4], b[2];
};
float tf32(uint32_t bits) { return std::bit_cast<float>(bits & 0xffffe000u); }  // the hardware ignores the rest
float bf16(uint32_t bits) { return std::bit_cast<float>(bits << 16); }

// D[16,8] += A[16,kK] B[kK,8], where a_at and b_at say which lane and register hold an element.
template <int kK, class A, class B>
void multiply(Exchange& e, A a_at, B b_at) {
  Operands lanes[kWarp];
  for (unsigned l = 0; l < kWarp; ++l) std::memcpy(&lanes[l], e.bring[l], sizeof(Operands));
  for (unsigned l = 0; l < kWarp; ++l) {
    float out[4];
    for (int i = 0; i < 4; ++i) {
      const unsigned row = l / 4 + (i >= 2 ? 8 : 0), column = 2 * (l % 4) + unsigned(i % 2);
      float sum = lanes[l].c[i];
      for (unsigned k = 0; k < kK; ++k) sum = std::fma(a_at(lanes, row, k), b_at(lanes, k, column), sum);
      out[i] = sum;
    }
    std::memcpy(e.take[l], out, sizeof out);
  }
}
void exchange(const char* what, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
              void (*combine)(Exchange&), SourceLocation at) {
  Operands mine{};
  for (int i = 0; i < 4; ++i) mine.c[i] = d[i], mine.a[i] = a[i];
  mine.b[0] = b[0];
  mine.b[1] = b[1];
  float out[4];
  warp_exchange(what, 0xffffffffu, &mine, sizeof mine, out, sizeof out, combine, at);
  for (int i = 0; i < 4; ++i) d[i] = out[i];
}

}  // namespace

uint32_t round_to_tf32(float v) {
  const uint32_t bits = std::bit_cast<uint32_t>(v);
  if ((bits & 0x7f800000u) == 0x7f800000u) return bits;  // infinities and NaN stay
  return (bits + 0x1000u) & 0xffffe000u;
}
uint32_t round_to_bf16(float v) {
  const uint32_t bits = std::bit_cast<uint32_t>(v);
  if ((bits & 0x7f800000u) == 0x7f800000u) return bits >> 16 | (bits & 0xffffu ? 1u : 0u);
  return (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;  // ties to even
}

void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SourceLocation at) {
  exchange(
      "mma.m16n8k8", d, a, b,
      [](Exchange& e) {
        multiply<8>(
            e,
            [](const Operands* lanes, unsigned row, unsigned k) {
              return tf32(lanes[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2]);
            },
            [](const Operands* lanes, unsigned k, unsigned column) {
              return tf32(lanes[column * 4 + k % 4].b[k / 4]);
            });
      },
      at);
}
void mma_bf16_short(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SourceLocation at) {
  exchange(
      "mma.m16n8k8", d, {a[0], a[1], 0, 0}, {b[0], 0},
      [](Exchange& e) {
        multiply<8>(
            e,
            [](const Operands* lanes, unsigned row, unsigned k) {
              return bf16(lanes[row % 8 * 4 + k / 2].a[row / 8] >> (k % 2 * 16) & 0xffffu);
            },
            [](const Operands* lanes, unsigned k, unsigned column) {
              return bf16(lanes[column * 4 + k / 2].b[0] >> (k % 2 * 16) & 0xffffu);
            });
      },
      at);
}
void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SourceLocation at) {
  exchange(
      "mma.m16n8k16", d, a, b,
      [](Exchange& e) {
        multiply<16>(
            e,
            [](const Operands* lanes, unsigned row, unsigned k) {
              return bf16(lanes[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2] >> (k % 2 * 16) & 0xffffu);
            },
            [](const Operands* lanes, unsigned k, unsigned column) {
              return bf16(lanes[column * 4 + k % 8 / 2].b[k / 8] >> (k % 2 * 16) & 0xffffu);
            });
      },
      at);
}

void load_matrices(uint32_t (&out)[4], const void* row, SourceLocation at) {
  check_aligned(row, 16, at);
  check_read(row, 16, at);
  warp_exchange(
      "ldmatrix", 0xffffffffu, &row, sizeof row, out, sizeof out,
      [](Exchange& e) {
        const void* rows[kWarp];
        for (unsigned l = 0; l < kWarp; ++l) std::memcpy(&rows[l], e.bring[l], sizeof(void*));
        for (unsigned l = 0; l < kWarp; ++l)
          for (unsigned j = 0; j < 4; ++j)
            std::memcpy(e.take[l] + 4 * j, static_cast<const std::byte*>(rows[8 * j + l / 4]) + 4 * (l % 4), 4);
      },
      at);
}

void load_matrices_transposed(uint32_t* out, unsigned matrices, const void* row, SourceLocation at) {
  if (place.lane() >= 8 * matrices) row = nullptr;  // whose address is not looked at
  if (row) {
    check_aligned(row, 16, at);
    check_read(row, 16, at);
  }
  uint32_t all[4];
  warp_exchange(
      "ldmatrix.trans", 0xffffffffu, &row, sizeof row, all, sizeof all,
      [](Exchange& e) {
        const std::byte* rows[kWarp];
        for (unsigned l = 0; l < kWarp; ++l) std::memcpy(&rows[l], e.bring[l], sizeof(void*));
        for (unsigned l = 0; l < kWarp; ++l)
          for (unsigned j = 0; j < 4 && rows[8 * j]; ++j)
            for (unsigned half = 0; half < 2; ++half)
              std::memcpy(e.take[l] + 4 * j + 2 * half, rows[8 * j + 2 * (l % 4) + half] + 2 * (l / 4), 2);
      },
      at);
  std::memcpy(out, all, 4 * matrices);
}

}  // namespace kern::emulator
