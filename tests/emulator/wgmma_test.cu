// wgmma under emulation: every layout of its operands against the product of the matrices, and for every way to use it
// wrongly a kernel with that fault planted beside its mended twin.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/common/bf16.cuh"
#include "kernels/common/wgmma.cuh"
#include "tests/emulator/fault_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

// Where element (i, k) of an operand lies, i along m or n, worked out from how values lie in memory and not from how
// the emulator walks: bytes from the operand's beginning. `rows` of it.
struct Layout {
  WgmmaSwizzle swizzle;
  bool across;
  int value_bytes, rows, depth;

  constexpr int width() const {
    return swizzle == WgmmaSwizzle::bytes128 ? 128 : swizzle == WgmmaSwizzle::bytes64 ? 64 : 32;
  }
  constexpr int bytes() const {
    const int row = depth * value_bytes;
    return rows * (across || swizzle == WgmmaSwizzle::none || row > width() ? row : width());
  }
  // Distances that the descriptor tells. Where 16 bytes of rows lie alone: an operand is [depth][rows] of them.
  constexpr int leading() const {
    if (swizzle == WgmmaSwizzle::none) return rows * 16;
    return across ? depth * width() : 16;  // tiles [rows][depth] of a width along the rows
  }
  constexpr int stride() const {
    if (swizzle == WgmmaSwizzle::none) return 128;
    return 8 * width();
  }
  // From one K of 32 bytes to the next.
  constexpr int step() const {
    if (swizzle == WgmmaSwizzle::none) return 2 * leading();
    return across ? 2 * stride() : width() == 32 ? rows * width() : 32;
  }
  constexpr int at(int i, int k) const {
    if (swizzle == WgmmaSwizzle::none) {
      const int per = 16 / value_bytes;
      if (!across) return k / per * rows * 16 + i * 16 + k % per * value_bytes;
      return k / 8 * rows * 16 + i / 8 * 128 + k % 8 * 16 + i % 8 * 2;
    }
    const int byte = across ? i * 2 / width() * depth * width() + k * width() + i * 2 % width()
                            : k * value_bytes / width() * rows * width() + i * width() + k * value_bytes % width();
    const int line = byte / 128 % (width() / 16);  // whose number exchanges the places of 16 bytes
    return byte ^ line << 4;
  }
};

template <WgmmaType kType>
constexpr int kValueBytes = kType == WgmmaType::bf16 ? 2 : 4;
template <WgmmaType kType>
__device__ void put(char* to, float v) {
  if constexpr (kType == WgmmaType::bf16) *reinterpret_cast<uint16_t*>(to) = uint16_t(to_bf16x2(v, 0));
  else *reinterpret_cast<float*>(to) = v;
}
__device__ char* aligned_shared() {
  char* const p = KERN_DYNAMIC_SHARED(char);
  return p + (1024 - shared_address(p) % 1024) % 1024;
}

enum class Planted {
  nothing,
  no_proxy_fence,  // operands were stored and wgmma does not see it
  no_barrier,      // and may not even be there
  no_fence,        // registers were used before
  no_fence_again,  // and between two products
  read_before_wait,
  never_waited,
  waits_for_too_few,
  overwrites_operand,  // before its group was waited for
  a_warp_less,
  warps_differ,
  mid_pattern,  // the descriptor begins one row further
  wrong_stride,
  outside,
  unwritten
};
constexpr int kDepthSteps = 2;  // K

// d [64,N] = 1 + a [64,depth] b [depth,N], from matrices of floats.
template <WgmmaType kType, int kN, WgmmaSwizzle kSwizzle, bool kAAcross, bool kBAcross, Planted kPlanted>
__global__ void product_kernel(const float* a, const float* b, float* d) {
  constexpr int kDepth = kDepthSteps * 32 / kValueBytes<kType>;
  constexpr Layout of_a{kSwizzle, kAAcross, kValueBytes<kType>, 64, kDepth};
  constexpr Layout of_b{kSwizzle, kBAcross, kValueBytes<kType>, kN, kDepth};
  char* const shared_a = aligned_shared();
  char* const shared_b = shared_a + (of_a.bytes() + 1023) / 1024 * 1024;
  const int thread = int(threadIdx.x);
  for (int i = thread; i < 64 * kDepth; i += kWarpgroup)
    if (kPlanted != Planted::unwritten || i != 77) put<kType>(shared_a + of_a.at(i / kDepth, i % kDepth), a[i]);
  for (int i = thread; i < kN * kDepth; i += kWarpgroup) put<kType>(shared_b + of_b.at(i % kN, i / kN), b[i]);
  if (kPlanted != Planted::no_proxy_fence) fence_proxy_async();
  if (kPlanted != Planted::no_barrier) __syncthreads();

  float sums[kN / 2];
  for (float& v : sums) v = 1;
  if (kPlanted != Planted::no_fence) wgmma_fence();
  if (kPlanted == Planted::a_warp_less && thread < 32) return;
  uint64_t da = matrix(shared_a, of_a.leading(), of_a.stride(), kSwizzle),
           db = matrix(shared_b, of_b.leading(), of_b.stride(), kSwizzle);
  if (kPlanted == Planted::mid_pattern) da = matrix_at(da, of_a.width());
  if (kPlanted == Planted::wrong_stride) da = matrix(shared_a, of_a.leading(), of_a.stride() + 128, kSwizzle);
  if (kPlanted == Planted::outside) db = matrix_at(db, 64 * 1024);
  if (kPlanted == Planted::warps_differ && thread >= 64) da = matrix_at(da, 1024);
  for (int k = 0; k < kDepthSteps; ++k) {
    wgmma<kType, kAAcross, kBAcross>(sums, matrix_at(da, k * of_a.step()), matrix_at(db, k * of_b.step()));
    wgmma_commit();
    if (kPlanted == Planted::no_fence_again) {
      wgmma_wait<0>(sums);
      for (float& v : sums) v += 0;
    }
  }
  if (kPlanted == Planted::overwrites_operand && thread < 64) shared_a[of_a.at(thread % 64, 3)] = 0;
  if (kPlanted == Planted::waits_for_too_few) wgmma_wait<1>(sums);
  else if (kPlanted != Planted::read_before_wait && kPlanted != Planted::never_waited) wgmma_wait<0>(sums);
  if (kPlanted == Planted::never_waited) return;
  for (int i = 0; i < kN / 2; ++i) {
    const int row = thread / 32 * 16 + thread % 32 / 4 + i % 4 / 2 * 8, column = i / 4 * 8 + thread % 4 * 2 + i % 2;
    d[row * kN + column] = sums[i];
  }
}

template <WgmmaType kType, int kN, WgmmaSwizzle kSwizzle, bool kAAcross = false, bool kBAcross = false,
          Planted kPlanted = Planted::nothing>
std::string product() {
  constexpr int kDepth = kDepthSteps * 32 / kValueBytes<kType>;
  std::vector<float> of_a(64 * kDepth), of_b(kDepth * kN);
  for (size_t i = 0; i < of_a.size(); ++i) of_a[i] = float(int(i * 37 % 17) - 8);
  for (size_t i = 0; i < of_b.size(); ++i) of_b[i] = float(int(i * 53 % 13) - 6);
  const Buffer a(of_a), b(of_b), d(64 * kN);
  const std::string said = verdict([&] {
    KERN_LAUNCH((product_kernel<kType, kN, kSwizzle, kAAcross, kBAcross, kPlanted>),
                {.grid = 1, .block = kWarpgroup, .shared_bytes = 30 * 1024}, a.get(), b.get(), d.get());
  });
  if (!said.empty()) return said;
  const std::vector<float> got = d.values();
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < kN; ++j) {
      float sum = 1;
      for (int k = 0; k < kDepth; ++k) sum += of_a[size_t(i * kDepth + k)] * of_b[size_t(k * kN + j)];
      if (!(got[size_t(i * kN + j)] == sum))
        return text("(", i, ", ", j, ") is ", got[size_t(i * kN + j)], " and not ", sum);
    }
  return {};
}

TEST(Wgmma, multiplies_operands_along_k) {
  EXPECT_EQ((product<WgmmaType::bf16, 64, WgmmaSwizzle::none>()), "");
  EXPECT_EQ((product<WgmmaType::bf16, 128, WgmmaSwizzle::bytes128>()), "");
  EXPECT_EQ((product<WgmmaType::bf16, 8, WgmmaSwizzle::bytes64>()), "");
  EXPECT_EQ((product<WgmmaType::bf16, 24, WgmmaSwizzle::bytes32>()), "") << "two tiles behind one another";
}
TEST(Wgmma, multiplies_operands_across) {
  EXPECT_EQ((product<WgmmaType::bf16, 64, WgmmaSwizzle::none, true, true>()), "");
  EXPECT_EQ((product<WgmmaType::bf16, 128, WgmmaSwizzle::bytes128, true, true>()), "");
  EXPECT_EQ((product<WgmmaType::bf16, 64, WgmmaSwizzle::bytes128, false, true>()), "");
  EXPECT_EQ((product<WgmmaType::bf16, 96, WgmmaSwizzle::bytes64, true, true>()), "");
  EXPECT_EQ((product<WgmmaType::bf16, 48, WgmmaSwizzle::bytes32, true, false>()), "");
}
TEST(Wgmma, multiplies_tf32) {
  EXPECT_EQ((product<WgmmaType::tf32, 64, WgmmaSwizzle::none>()), "");
  EXPECT_EQ((product<WgmmaType::tf32, 64, WgmmaSwizzle::bytes128>()), "");
  EXPECT_EQ((product<WgmmaType::tf32, 40, WgmmaSwizzle::bytes64>()), "");
  EXPECT_EQ((product<WgmmaType::tf32, 16, WgmmaSwizzle::bytes32>()), "");
}
template <Planted kPlanted>
std::string planted() {
  return product<WgmmaType::bf16, 64, WgmmaSwizzle::bytes128, false, false, kPlanted>();
}
TEST(Wgmma, operands_that_are_not_there_yet) {
  EXPECT_TRUE(has(planted<Planted::no_proxy_fence>(), {"wgmma reads", "with no fence.proxy.async", "operand A"}));
  EXPECT_TRUE(has(planted<Planted::no_barrier>(), {"wgmma reads", "with no barrier between"}));
  EXPECT_TRUE(has(planted<Planted::unwritten>(), {"wgmma reads shared memory that nobody has written", "operand A"}));
}
TEST(Wgmma, registers_that_are_in_use) {
  EXPECT_TRUE(has(planted<Planted::no_fence>(), {"with no wgmma.fence behind"}));
  EXPECT_TRUE(has(planted<Planted::no_fence_again>(), {"with no wgmma.fence behind"}));
  EXPECT_TRUE(has(planted<Planted::read_before_wait>(), {"wgmma.wait_group comes first", "wgmma_test.cu:"}));
  EXPECT_TRUE(has(planted<Planted::waits_for_too_few>(), {"wgmma.wait_group comes first"}));
  EXPECT_TRUE(has(planted<Planted::never_waited>(), {"the block ends while wgmma works"}));
}
TEST(Wgmma, an_operand_that_is_overwritten) {
  EXPECT_TRUE(
      has(planted<Planted::overwrites_operand>(), {"shared memory that wgmma reads; its group was not waited for"}));
}
TEST(Wgmma, warps_that_do_not_agree) {
  const std::string said = planted<Planted::a_warp_less>();
  EXPECT_TRUE(has(said, {"has ended and cannot come"}) || has(said, {"waits at wgmma"})) << said;
  EXPECT_TRUE(has(planted<Planted::warps_differ>(), {"different descriptors or shapes"}));
}
TEST(Wgmma, descriptors_that_lead_elsewhere) {
  EXPECT_TRUE(
      has(planted<Planted::mid_pattern>(), {"descriptor of A begins 128 bytes into its swizzle's pattern of 1024"}));
  EXPECT_TRUE(has(planted<Planted::wrong_stride>(), {"descriptor of A steps by 1152"}));
  EXPECT_TRUE(has(planted<Planted::outside>(), {"descriptor of B leads outside"}));
}

template <int kGive, int kTake, bool kAll>
__global__ void registers_kernel(float* d) {
  if (threadIdx.x < kWarpgroup) {
    if (kAll || threadIdx.x < 96) give_registers<kGive>();
  } else {
    take_registers<kTake>();
  }
  d[threadIdx.x] = 1;
}
TEST(Wgmma, registers_move_between_groups) {
  const Buffer d(3 * kWarpgroup);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = 3 * kWarpgroup}, d.get()); });
  };
  EXPECT_EQ(run(registers_kernel<24, 240, true>), "");
  EXPECT_TRUE(has(run(registers_kernel<20, 240, true>), {"setmaxnreg.dec 20"}));
  EXPECT_TRUE(has(run(registers_kernel<32, 256, true>), {"there are 65536"}));
  const std::string said = run(registers_kernel<24, 240, false>);
  EXPECT_TRUE(has(said, {"has ended and cannot come"}) || has(said, {"waits at setmaxnreg"})) << said;
}

}  // namespace
}  // namespace kern::kernels
