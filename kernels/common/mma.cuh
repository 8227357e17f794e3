// What a warp does with matrix fragments and asynchronous copies: the PTX instructions of sm_80 and later, or the
// emulator's version of them. Fragments as the PTX manual lays them out, with g = lane / 4 and t = lane % 4:
//
//   C, D [16,8]       c[0..1] = (g, 2t..2t+1)     c[2..3] = (g+8, 2t..2t+1)
//   A [16,8]  tf32    a[0] = (g, t)  a[1] = (g+8, t)  a[2] = (g, t+4)  a[3] = (g+8, t+4)
//   B [8,8]   tf32    b[0] = (k t, n g)  b[1] = (k t+4, n g)
//   A [16,8]  bf16    a[0] = (g, 2t..2t+1)  a[1] = (g+8, 2t..2t+1)
//   B [8,8]   bf16    b[0] = (k 2t..2t+1, n g)
//   A [16,16] bf16    a[0] = (g, 2t..2t+1)  a[1] = (g+8, 2t..)  a[2] = (g, 2t+8..)  a[3] = (g+8, 2t+8..)
//   B [16,8]  bf16    b[0] = (k 2t..2t+1, n g)  b[1] = (k 2t+8.., n g)
#pragma once
#include "kernels/common/bf16.cuh"
#include "kernels/common/precision.h"

namespace kern::kernels {

struct Accumulator {
  float c[4];
};
struct FragmentA {
  uint32_t a[4];
};
struct FragmentB {
  uint32_t b[2];
};

// A float's nearest tf32 (10 bits of mantissa, ties away from zero), in a register of 32 bits.
__device__ __forceinline__ uint32_t to_tf32(float v) {
#ifdef KERN_CUDA_EMULATED
  return emulator::round_to_tf32(v);
#else
  uint32_t out;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(out) : "f"(v));
  return out;
#endif
}
__device__ __forceinline__ float from_tf32(uint32_t v) { return __uint_as_float(v); }

// d += a b, tf32, m16n8k8. All 32 lanes.
__device__ __forceinline__ void mma_tf32(Accumulator& d, const FragmentA& a, const FragmentB& b) {
#ifdef KERN_CUDA_EMULATED
  emulator::mma_tf32(d.c, a.a, b.b, SourceLocation::current());
#else
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d.c[0]), "+f"(d.c[1]), "+f"(d.c[2]), "+f"(d.c[3])
      : "r"(a.a[0]), "r"(a.a[1]), "r"(a.a[2]), "r"(a.a[3]), "r"(b.b[0]), "r"(b.b[1]));
#endif
}
// d += a b, bf16, m16n8k16. All 32 lanes.
__device__ __forceinline__ void mma_bf16(Accumulator& d, const FragmentA& a, const FragmentB& b) {
#ifdef KERN_CUDA_EMULATED
  emulator::mma_bf16(d.c, a.a, b.b, SourceLocation::current());
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d.c[0]), "+f"(d.c[1]), "+f"(d.c[2]), "+f"(d.c[3])
      : "r"(a.a[0]), "r"(a.a[1]), "r"(a.a[2]), "r"(a.a[3]), "r"(b.b[0]), "r"(b.b[1]));
#endif
}

// d += a b, bf16, m16n8k8: the first two registers of a, the first of b. All 32 lanes.
__device__ __forceinline__ void mma_bf16_short(Accumulator& d, const FragmentA& a, const FragmentB& b) {
#ifdef KERN_CUDA_EMULATED
  emulator::mma_bf16_short(d.c, a.a, b.b, SourceLocation::current());
#else
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
               : "+f"(d.c[0]), "+f"(d.c[1]), "+f"(d.c[2]), "+f"(d.c[3])
               : "r"(a.a[0]), "r"(a.a[1]), "r"(b.b[0]));
#endif
}

// A float as what the tensor cores multiply. f32 takes each factor as the sum of two tf32 numbers and leaves out the
// product of the two small ones: errors are those of float, for three instructions. Infinities become NaN.
template <Precision kPrecision>
struct Tf32Parts {
  uint32_t high, low;
  // A float as the bits of a register. The high part is rounded by hand, at the full rate of integer arithmetic; of the
  // low part, whose sign is as good as random, the hardware drops what does not fit.
  __device__ __forceinline__ void split(uint32_t bits) {
    if constexpr (kPrecision == Precision::tf32) {
      high = to_tf32(__uint_as_float(bits));
    } else {
      high = (bits + 0x1000u) & 0xffffe000u;
      low = __float_as_uint(__uint_as_float(bits) - __uint_as_float(high));  // NaN for a NaN
    }
  }
};
// mma_floats in bf16. A lane has of row g the floats t and t + 4, the instruction takes 2t and 2t + 1: the eight
// products are added in another order, the same one for a and b.
template <int kDown, int kAcross>
__device__ __forceinline__ void mma_rounded(Accumulator (&d)[kDown][kAcross], const uint32_t (&a)[kDown][4],
                                            const uint32_t (&b)[kAcross][2]) {
  auto pair = [](uint32_t low, uint32_t high) { return to_bf16x2(__uint_as_float(low), __uint_as_float(high)); };
  FragmentB across[kAcross];
#pragma unroll
  for (int j = 0; j < kAcross; ++j) across[j].b[0] = pair(b[j][0], b[j][1]);
#pragma unroll
  for (int i = 0; i < kDown; ++i) {
    FragmentA down;
    down.a[0] = pair(a[i][0], a[i][2]);
    down.a[1] = pair(a[i][1], a[i][3]);
#pragma unroll
    for (int j = 0; j < kAcross; ++j) mma_bf16_short(d[i][j], down, across[j]);
  }
}
// mma_floats in tf32, or in two parts of it.
template <Precision kPrecision, int kDown, int kAcross>
__device__ __forceinline__ void mma_in_parts(Accumulator (&d)[kDown][kAcross], const uint32_t (&a)[kDown][4],
                                             const uint32_t (&b)[kAcross][2]) {
  FragmentB b_high[kAcross], b_low[kAcross];
#pragma unroll
  for (int j = 0; j < kAcross; ++j)
#pragma unroll
    for (int l = 0; l < 2; ++l) {
      Tf32Parts<kPrecision> parts{};
      parts.split(b[j][l]);
      b_high[j].b[l] = parts.high;
      b_low[j].b[l] = parts.low;
    }
#pragma unroll
  for (int i = 0; i < kDown; ++i) {
    FragmentA a_high, a_low;
#pragma unroll
    for (int l = 0; l < 4; ++l) {
      Tf32Parts<kPrecision> parts{};
      parts.split(a[i][l]);
      a_high.a[l] = parts.high;
      a_low.a[l] = parts.low;
    }
    // The small products first; neighbouring instructions add to different accumulators.
    if constexpr (kPrecision == Precision::f32) {
#pragma unroll
      for (int j = 0; j < kAcross; ++j) mma_tf32(d[i][j], a_low, b_high[j]);
#pragma unroll
      for (int j = 0; j < kAcross; ++j) mma_tf32(d[i][j], a_high, b_low[j]);
    }
#pragma unroll
    for (int j = 0; j < kAcross; ++j) mma_tf32(d[i][j], a_high, b_high[j]);
  }
}
// d[i][j] += a[i] b[j] for fragments of bf16: m16n8k16 each.
template <int kDown, int kAcross>
__device__ __forceinline__ void mma_packed(Accumulator (&d)[kDown][kAcross], const uint32_t (&a)[kDown][4],
                                           const uint32_t (&b)[kAcross][2]) {
#pragma unroll
  for (int i = 0; i < kDown; ++i)
#pragma unroll
    for (int j = 0; j < kAcross; ++j) mma_bf16(d[i][j], {{a[i][0], a[i][1], a[i][2], a[i][3]}}, {{b[j][0], b[j][1]}});
}
// d[i][j] += a[i] b[j] for fragments of floats as load_matrices gives them: m16n8k8 each.
template <Precision kPrecision, int kDown, int kAcross>
__device__ __forceinline__ void mma_floats(Accumulator (&d)[kDown][kAcross], const uint32_t (&a)[kDown][4],
                                           const uint32_t (&b)[kAcross][2]) {
  if constexpr (kPrecision == Precision::bf16) mma_rounded(d, a, b);
  else mma_in_parts<kPrecision>(d, a, b);
}

// ldmatrix: four 8x8 matrices of 16-bit values from shared memory. Lane l gives the address of row l % 8 of matrix l /
// 8 (16 bytes, aligned); out[j] of lane l is values 2t, 2t+1 of row g of matrix j.
__device__ __forceinline__ void load_matrices(uint32_t (&out)[4], const void* shared_row) {
#ifdef KERN_CUDA_EMULATED
  emulator::load_matrices(out, shared_row, SourceLocation::current());
#else
  const uint32_t address = uint32_t(__cvta_generic_to_shared(shared_row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(address)
               : "memory");
#endif
}

// ldmatrix.trans: two (or four) 8x8 matrices of 16-bit values. Lane l < 8 N gives the address of row l % 8 of matrix l
// / 8; out[j] of lane l is values g of rows 2t, 2t+1 of matrix j: what a fragment wants where the sum runs over the
// rows.
template <int N>
__device__ __forceinline__ void load_matrices_transposed(uint32_t (&out)[N], const void* shared_row) {
  static_assert(N == 2 || N == 4);
#ifdef KERN_CUDA_EMULATED
  emulator::load_matrices_transposed(out, N, shared_row, SourceLocation::current());
#else
  const uint32_t address = uint32_t(__cvta_generic_to_shared(shared_row));
  if constexpr (N == 4)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                 : "=r"(out[0]), "=r"(out[1])
                 : "r"(address)
                 : "memory");
#endif
}

// cp.async: kBytes (4, 8 or 16) from global to shared memory, of which `valid` are read and the rest are zeros. They
// are there after commit and wait, and for other threads after a barrier besides.
template <int kBytes>
__device__ __forceinline__ void copy_async(void* shared, const void* global, int valid = kBytes) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
#ifdef KERN_CUDA_EMULATED
  emulator::copy_async(shared, global, kBytes, unsigned(valid), SourceLocation::current());
#else
  const uint32_t address = uint32_t(__cvta_generic_to_shared(shared));
  if constexpr (kBytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(valid) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(address), "l"(global), "n"(kBytes), "r"(valid)
                 : "memory");
#endif
}
__device__ __forceinline__ void copy_async_commit() {
#ifdef KERN_CUDA_EMULATED
  emulator::copy_async_commit();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Waits until at most kGroups of this thread's latest groups are still under way.
template <int kGroups>
__device__ __forceinline__ void copy_async_wait() {
#ifdef KERN_CUDA_EMULATED
  emulator::copy_async_wait(kGroups);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
#endif
}

}  // namespace kern::kernels
