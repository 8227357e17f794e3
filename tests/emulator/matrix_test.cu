// The tensor-core instructions of mma.cuh under emulation: fragments laid out as its head says give the product of the
// matrices, with factors rounded as the GPU rounds them.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/common/elementwise.cuh"
#include "kernels/common/mma.cuh"
#include "tests/support/device_memory.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

enum class Instruction { tf32, bf16_short, bf16 };

// c[16,8] = a[16,K] b[K,8]: one warp.
template <Instruction kInstruction>
__global__ void multiply_kernel(const float* a, const float* b, float* c) {
  constexpr int kK = kInstruction == Instruction::bf16 ? 16 : 8;
  const int g = threadIdx.x / 4, t = threadIdx.x % 4;
  auto of_a = [&](int row, int k) { return a[row * kK + k]; };
  auto of_b = [&](int k, int column) { return b[k * 8 + column]; };
  Accumulator d{};
  FragmentA fa{};
  FragmentB fb{};
  if constexpr (kInstruction == Instruction::tf32) {
    for (int l = 0; l < 4; ++l) fa.a[l] = to_tf32(of_a(g + l % 2 * 8, t + l / 2 * 4));
    for (int l = 0; l < 2; ++l) fb.b[l] = to_tf32(of_b(t + l * 4, g));
    mma_tf32(d, fa, fb);
  } else {
    for (int l = 0; l < kK / 4; ++l) {
      const int row = g + l % 2 * 8, k = 2 * t + l / 2 * 8;
      fa.a[l] = to_bf16x2(of_a(row, k), of_a(row, k + 1));
    }
    for (int l = 0; l < kK / 8; ++l) fb.b[l] = to_bf16x2(of_b(2 * t + l * 8, g), of_b(2 * t + l * 8 + 1, g));
    if constexpr (kInstruction == Instruction::bf16) mma_bf16(d, fa, fb);
    else mma_bf16_short(d, fa, fb);
  }
  for (int l = 0; l < 4; ++l) c[(g + l / 2 * 8) * 8 + 2 * t + l % 2] = d.c[l];
}

// The nearest number of so many bits of mantissa after the leading one.
float rounded(float v, int bits) {
  int exponent;
  const float fraction = std::frexp(v, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, bits + 1)), exponent - bits - 1);
}

template <Instruction kInstruction>
void expect_product(int bits) {
  constexpr int kK = kInstruction == Instruction::bf16 ? 16 : 8;
  Values<> a(16 * kK), b(kK * 8), c(16 * 8);
  for (size_t i = 0; i < a.size(); ++i) a[i] = std::sin(float(i) * 1.7f) * 3;
  for (size_t i = 0; i < b.size(); ++i) b[i] = std::cos(float(i) * 2.3f);
  KERN_LAUNCH((multiply_kernel<kInstruction>), {.grid = 1, .block = 32}, a.device(), b.device(), c.device());
  cuda_check(cudaDeviceSynchronize(), "waiting");
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      double sum = 0;
      for (int k = 0; k < kK; ++k)
        sum += double(rounded(a[size_t(i * kK + k)], bits)) * double(rounded(b[size_t(k * 8 + j)], bits));
      EXPECT_NEAR(c[size_t(i * 8 + j)], sum, 2e-6) << i << ", " << j;
    }
}

TEST(Matrix, instructions_multiply_as_their_layouts_say) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  expect_product<Instruction::tf32>(10);
  expect_product<Instruction::bf16_short>(7);
  expect_product<Instruction::bf16>(7);
}

// ldmatrix with and without .trans: who gets which values of 8x8 matrices that lie one after another.
template <int N>
__global__ void load_kernel(const uint16_t* from, uint32_t* plain, uint32_t* transposed) {
  KERN_SHARED(uint16_t[4][8][8], matrices);
  for (int i = threadIdx.x; i < 4 * 64; i += 32) matrices[i / 64][i / 8 % 8][i % 8] = from[i];
  __syncwarp();
  const void* row = matrices[threadIdx.x / 8][threadIdx.x % 8];
  uint32_t as_they_lie[4], across[N];
  load_matrices(as_they_lie, row);
  load_matrices_transposed(across, threadIdx.x < 8 * N ? row : nullptr);
  for (int j = 0; j < 4; ++j) plain[threadIdx.x * 4 + j] = as_they_lie[j];
  for (int j = 0; j < N; ++j) transposed[threadIdx.x * 4 + j] = across[j];
}
template <int N>
void expect_loaded() {
  Values<uint16_t> from(4 * 64);
  Values<uint32_t> plain(32 * 4), transposed(32 * 4);
  for (size_t i = 0; i < from.size(); ++i) from[i] = uint16_t(i);
  KERN_LAUNCH(load_kernel<N>, {.grid = 1, .block = 32}, from.device(), plain.device(), transposed.device());
  cuda_check(cudaDeviceSynchronize(), "waiting");
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t j = 0; j < 4; ++j) {
      const uint32_t g = lane / 4, t = lane % 4, first = 64 * j;
      EXPECT_EQ(plain[lane * 4 + j], (first + 8 * g + 2 * t) | (first + 8 * g + 2 * t + 1) << 16);
      EXPECT_TRUE(j >= N || transposed[lane * 4 + j] == ((first + 16 * t + g) | (first + 16 * t + 8 + g) << 16));
    }
}
TEST(Matrix, rows_are_loaded_as_fragments) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA";
  expect_loaded<2>();
  expect_loaded<4>();
}

}  // namespace
}  // namespace kern::kernels
