// mbarriers and bulk copies under emulation: what lands where, and for every way to use them wrongly a kernel with that
// fault planted beside its mended twin.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/common/bulk_copy.cuh"
#include "tests/emulator/fault_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

// --- a ring of stages: one thread brings tiles, two warps add them up ---

enum class Planted {
  nothing,
  no_arrival,      // readers never say that a stage is free
  not_announced,   // the bytes of a copy are not expected
  same_parity,     // readers wait for the first phase again and again
  no_wait,         // readers do not wait
  stage_in_use,    // the producer does not wait until a stage is free
  no_fence,        // mbarriers are initialised without a fence
  no_meeting,      // and without a barrier behind
  one_waits,       // one reader waits for all
  last_forgotten,  // a copy more than anybody reads
  arrives_twice
};
constexpr int kTiles = 6, kStages = 2;
constexpr unsigned kTileBytes = kThreads * sizeof(float);

template <Planted kPlanted>
__global__ void ring_kernel(const float* x, float* y) {
  KERN_SHARED(float[kStages][kThreads], tiles);
  KERN_SHARED(uint64_t[kStages], full);
  KERN_SHARED(uint64_t[kStages], empty);
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; ++s) mbarrier::init(&full[s], 1), mbarrier::init(&empty[s], kThreads);
    if (kPlanted != Planted::no_fence) mbarrier::fence_init();
  }
  if (kPlanted != Planted::no_meeting) __syncthreads();
  if (threadIdx.x == kThreads) {
    for (int i = 0; i < kTiles + (kPlanted == Planted::last_forgotten); ++i) {
      const int s = i % kStages, turn = i / kStages;
      if (kPlanted != Planted::stage_in_use) mbarrier::wait(&empty[s], unsigned(turn % 2) ^ 1u);
      if (kPlanted == Planted::not_announced) mbarrier::arrive(&full[s]);
      else mbarrier::arrive_expecting(&full[s], kTileBytes);
      if (kPlanted == Planted::arrives_twice) mbarrier::arrive(&full[s]);
      copy_bulk(tiles[s], x + i % kTiles * kThreads, kTileBytes, &full[s]);
    }
  } else if (threadIdx.x < kThreads) {
    float sum = 0;
    for (int i = 0; i < kTiles; ++i) {
      const int s = i % kStages, turn = i / kStages;
      if (kPlanted != Planted::no_wait && (kPlanted != Planted::one_waits || threadIdx.x % 32 == 0))
        mbarrier::wait(&full[s], kPlanted == Planted::same_parity ? 0u : unsigned(turn % 2));
      sum += tiles[s][threadIdx.x];
      if (kPlanted != Planted::no_arrival) mbarrier::arrive(&empty[s]);
    }
    y[threadIdx.x] = sum;
  }
}
template <Planted kPlanted>
std::string ring() {
  const Buffer x(counting(kTiles * kThreads)), y(kThreads);
  const std::string said =
      verdict([&] { KERN_LAUNCH((ring_kernel<kPlanted>), {.grid = 1, .block = kThreads + 32}, x.get(), y.get()); });
  if (said.empty()) {
    EXPECT_EQ(y.values()[5], float(kTiles * 5 + kThreads * kTiles * (kTiles - 1) / 2));
  }
  return said;
}
::testing::AssertionResult has_one(const std::string& sentence, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts)
    if (sentence.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "nothing of what was expected: '" << sentence << "'";
}

TEST(BulkCopy, a_ring_of_stages) { EXPECT_EQ(ring<Planted::nothing>(), ""); }
TEST(BulkCopy, stages_that_are_never_given_back) {
  EXPECT_TRUE(has(ring<Planted::no_arrival>(),
                  {"waits at an mbarrier", "of whose phases are complete", "are missing", "bulk_copy.cuh:"}));
}
TEST(BulkCopy, bytes_that_were_not_announced) {
  EXPECT_TRUE(has(ring<Planted::not_announced>(), {"its mbarrier's phase was not waited for"}));
}
TEST(BulkCopy, phases_that_were_waited_for_before) {
  EXPECT_TRUE(has_one(ring<Planted::same_parity>(), {"phase was not waited for", "read with no barrier between",
                                                     "nobody has waited", "are missing"}));
}
TEST(BulkCopy, tiles_that_are_read_before_they_are_there) {
  EXPECT_TRUE(has_one(ring<Planted::no_wait>(), {"phase was not waited for", "shared memory that nobody has written"}));
  EXPECT_TRUE(
      has_one(ring<Planted::one_waits>(), {"phase was not waited for", "shared memory that nobody has written"}));
}
TEST(BulkCopy, a_stage_that_is_still_read) {
  EXPECT_TRUE(has_one(ring<Planted::stage_in_use>(),
                      {"a bulk copy into shared memory that thread", "a bulk copy into shared memory that a bulk copy",
                       "has had all of its 1 arrivals"}));
}
TEST(BulkCopy, mbarriers_that_others_do_not_see_yet) {
  EXPECT_TRUE(has(ring<Planted::no_fence>(), {"with neither fence.mbarrier_init nor fence.proxy.async"}));
  EXPECT_TRUE(
      has_one(ring<Planted::no_meeting>(), {"no mbarrier was initialised there", "wrote with no barrier between"}));
}
TEST(BulkCopy, a_copy_that_nobody_waits_for) {
  EXPECT_TRUE(has_one(ring<Planted::last_forgotten>(),
                      {"is on its way: somebody must wait", "nobody has waited for a bulk copy"}));
}
TEST(BulkCopy, an_arrival_too_many) {
  EXPECT_TRUE(has_one(ring<Planted::arrives_twice>(), {"has had all of its 1 arrivals"}));
}

// --- what threads store before a copy writes there ---

template <bool kFence, bool kMeet>
__global__ void overwrite_kernel(const float* x, float* y) {
  KERN_SHARED(float[kThreads], tile);
  KERN_SHARED(uint64_t, full);
  if (threadIdx.x == 0) mbarrier::init(&full, 1), mbarrier::fence_init();
  tile[threadIdx.x] = 1;
  if (kFence) fence_proxy_async();
  if (kMeet) __syncthreads();
  else __syncwarp();
  if (threadIdx.x == 0) {
    mbarrier::arrive_expecting(&full, kTileBytes);
    copy_bulk(tile, x, kTileBytes, &full);
  }
  if (!kMeet) __syncthreads();
  mbarrier::wait(&full, 0);
  y[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}
TEST(BulkCopy, stores_before_it_are_fenced) {
  const Buffer x(counting(kThreads)), y(kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, x.get(), y.get()); });
  };
  EXPECT_EQ(run(overwrite_kernel<true, true>), "");
  EXPECT_EQ(y.values()[3], float(kThreads - 4));
  EXPECT_TRUE(has(run(overwrite_kernel<false, true>), {"wrote with no fence.proxy.async between"}));
  EXPECT_TRUE(has_one(run(overwrite_kernel<true, false>),
                      {"wrote with no barrier between", "a bulk copy writes", "phase was not waited for"}));
}

// Stores that others read behind an mbarrier, without any barrier of the block.
template <bool kArrive>
__global__ void hand_over_kernel(float* y) {
  KERN_SHARED(float[32], tile);
  KERN_SHARED(uint64_t, ready);
  if (threadIdx.x == 0) mbarrier::init(&ready, 32);
  __syncthreads();
  if (threadIdx.x < 32) {
    if (!kArrive) mbarrier::arrive(&ready);
    tile[threadIdx.x] = float(threadIdx.x);
    if (kArrive) mbarrier::arrive(&ready);
  } else {
    mbarrier::wait(&ready, 0);
    y[threadIdx.x - 32] = tile[63 - threadIdx.x];
  }
}
TEST(Mbarrier, hands_over_what_was_stored_before_the_arrival) {
  const Buffer y(32);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = 64}, y.get()); });
  };
  EXPECT_EQ(run(hand_over_kernel<true>), "");
  EXPECT_EQ(y.values()[4], 27);
  EXPECT_TRUE(has_one(run(hand_over_kernel<false>), {"with no barrier between", "nobody has written"}));
}

enum class Misuse { nothing, unaligned_barrier, unaligned_tile, unaligned_source, odd_bytes, used_twice, written_over };
template <Misuse kMisuse>
__global__ void misuse_kernel(const float* x, float* y) {
  KERN_SHARED(float[kThreads + 4], tile);
  KERN_SHARED(uint64_t[2], barriers);
  uint64_t* const full = kMisuse == Misuse::unaligned_barrier
                             ? reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(barriers) + 4)
                             : barriers;
  if (threadIdx.x == 0) {
    mbarrier::init(full, 1);
    if (kMisuse == Misuse::used_twice) mbarrier::init(full, 1);
    if (kMisuse == Misuse::written_over) *full = 1;
    mbarrier::fence_init();
    mbarrier::arrive_expecting(full, 64);
    copy_bulk(tile + (kMisuse == Misuse::unaligned_tile), x + (kMisuse == Misuse::unaligned_source),
              kMisuse == Misuse::odd_bytes ? 60 : 64, full);
    mbarrier::wait(full, 0);
    mbarrier::invalidate(full);
    y[0] = tile[15];
  }
}
TEST(Mbarrier, what_instructions_do_not_take) {
  const Buffer x(counting(kThreads)), y(1);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = 32}, x.get(), y.get()); });
  };
  EXPECT_EQ(run(misuse_kernel<Misuse::nothing>), "");
  EXPECT_EQ(y.values()[0], 15);
  EXPECT_TRUE(has(run(misuse_kernel<Misuse::unaligned_barrier>), {"an mbarrier lies at", "multiple of 8"}));
  EXPECT_TRUE(has(run(misuse_kernel<Misuse::unaligned_tile>), {"cp.async.bulk lies at", "multiple of 16"}));
  EXPECT_TRUE(has(run(misuse_kernel<Misuse::unaligned_source>), {"from an address that is not a multiple of 16"}));
  EXPECT_TRUE(has(run(misuse_kernel<Misuse::odd_bytes>), {"60 bytes; it takes multiples of 16"}));
  EXPECT_TRUE(has(run(misuse_kernel<Misuse::used_twice>), {"an mbarrier that is in use"}));
  EXPECT_TRUE(has(run(misuse_kernel<Misuse::written_over>), {"something was written over this mbarrier"}));
}

TEST(Mbarrier, and_what_comes_with_it_is_asked_of_one_architecture_alone) {
  for (const int other : {80, 86, 89, 100, 120}) {
    emulator::set_architecture(other);
    EXPECT_FALSE(device_is_hopper()) << "compute capability " << other;
  }
  emulator::set_architecture(90);
  EXPECT_TRUE(device_is_hopper());
}

// --- tensor maps ---

constexpr int kN = 2, kH = 5, kW = 7, kC = 72, kPitch = 80;  // of which kC channels are the tensor's
constexpr int kBoxW = 8, kBoxH = 3;

// What a box holds, as it lies in shared memory.
template <int kBoxC, int kOffset>
__global__ void box_kernel(const __grid_constant__ CUtensorMap map, TensorAt<4> at, uint16_t* out) {
  constexpr int kValues = kBoxC * kBoxW * kBoxH;
  uint16_t* const tile =
      KERN_DYNAMIC_SHARED(uint16_t) + (1024 - shared_address(KERN_DYNAMIC_SHARED(char)) % 1024) / 2 + kOffset / 2;
  KERN_SHARED(uint64_t, full);
  if (threadIdx.x == 0) {
    mbarrier::init(&full, 1);
    mbarrier::fence_init();
    mbarrier::arrive_expecting(&full, kValues * 2);
    copy_tensor<4>(tile, map, at, &full);
  }
  __syncthreads();
  mbarrier::wait(&full, 0);
  for (int i = threadIdx.x; i < kValues; i += kThreads) out[i] = tile[i];
}
uint16_t value_at(int n, int h, int w, int c) { return uint16_t(((n * kH + h) * kW + w) * kPitch + c + 1); }

class TensorCopies : public ::testing::Test {
 protected:
  TensorCopies() : values_(size_t(kN * kH * kW * kPitch)) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = uint16_t(i + 1);
  }
  template <int kBoxC, int kOffset = 0>
  void expect_box(CUtensorMapSwizzle swizzle, TensorAt<4> at) {
    const BufferOf<uint16_t> x(values_), out(kBoxC * kBoxW * kBoxH);
    const CUtensorMap map = of(x.get(), kBoxC, swizzle);
    ASSERT_EQ(verdict([&] {
                KERN_LAUNCH((box_kernel<kBoxC, kOffset>), {.grid = 1, .block = kThreads, .shared_bytes = 16384}, map,
                            at, out.get());
              }),
              "");
    const std::vector<uint16_t> got = out.values();
    constexpr int kChunks = kBoxC / 8;
    for (int h = 0; h < kBoxH; ++h)
      for (int w = 0; w < kBoxW; ++w)
        for (int c = 0; c < kBoxC; ++c) {
          const int line = h * kBoxW + w, byte = line * kBoxC * 2 + c * 2 + kOffset;
          // Of 128 bytes' line i the 16 bytes j stand at place j ^ (i % 8), and so on.
          const int flips = swizzle == CU_TENSOR_MAP_SWIZZLE_128B  ? byte / 128 % 8
                            : swizzle == CU_TENSOR_MAP_SWIZZLE_64B ? byte / 128 % 4
                            : swizzle == CU_TENSOR_MAP_SWIZZLE_32B ? byte / 128 % 2
                                                                   : 0;
          const int place = ((byte / 16) ^ flips) * 8 + byte % 16 / 2 - kOffset / 2;
          const int n = at.c[3], y = at.c[2] + h, x_at = at.c[1] + w, channel = at.c[0] + c;
          const bool inside =
              n >= 0 && n < kN && y >= 0 && y < kH && x_at >= 0 && x_at < kW && channel >= 0 && channel < kC;
          ASSERT_EQ(got[size_t(place)], inside ? value_at(n, y, x_at, channel) : 0)
              << "h " << h << " w " << w << " c " << c << " swizzle " << int(swizzle) << " of " << kChunks;
        }
  }
  static CUtensorMap of(const uint16_t* x, int box_c, CUtensorMapSwizzle swizzle) {
    return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, x,
                      {{.size = kC, .stride = 1, .box = box_c},
                       {.size = kW, .stride = kPitch, .box = kBoxW},
                       {.size = kH, .stride = kPitch * kW, .box = kBoxH},
                       {.size = kN, .stride = kPitch * kW * kH, .box = 1}},
                      swizzle);
  }
  std::vector<uint16_t> values_;
};
TEST_F(TensorCopies, bring_boxes_with_zeros_around) {
  for (const int n : {-1, 0, 1, 2}) {
    expect_box<64>(CU_TENSOR_MAP_SWIZZLE_NONE, {{0, -1, -1, n}});
    expect_box<64>(CU_TENSOR_MAP_SWIZZLE_128B, {{0, -1, -1, n}});
  }
  expect_box<64>(CU_TENSOR_MAP_SWIZZLE_128B, {{64, 3, 4, 1}});
  expect_box<64>(CU_TENSOR_MAP_SWIZZLE_128B, {{-3, 0, 1, 0}});
  expect_box<32>(CU_TENSOR_MAP_SWIZZLE_64B, {{37, -2, 2, 0}});
  expect_box<16>(CU_TENSOR_MAP_SWIZZLE_32B, {{61, 6, 0, 1}});
  expect_box<16>(CU_TENSOR_MAP_SWIZZLE_NONE, {{8, 0, 0, 0}});
}
TEST_F(TensorCopies, are_swizzled_by_the_address_and_not_by_the_row) {
  expect_box<64, 128>(CU_TENSOR_MAP_SWIZZLE_128B, {{0, -1, -1, 0}});
  expect_box<32, 256>(CU_TENSOR_MAP_SWIZZLE_64B, {{0, 0, 0, 1}});
}
template <int kAlign>
__global__ void placed_kernel(const __grid_constant__ CUtensorMap map) {
  char* const tile = KERN_DYNAMIC_SHARED(char) + kAlign;
  KERN_SHARED(uint64_t, full);
  if (threadIdx.x == 0) {
    mbarrier::init(&full, 1);
    mbarrier::fence_init();
    mbarrier::arrive_expecting(&full, 64 * kBoxW * kBoxH * 2);
    copy_tensor<4>(tile, map, TensorAt<4>{{0, 0, 0, 0}}, &full);
    mbarrier::wait(&full, 0);
  }
}
TEST_F(TensorCopies, that_no_GPU_takes) {
  const BufferOf<uint16_t> x(values_);
  const CUtensorMap map = of(x.get(), 64, CU_TENSOR_MAP_SWIZZLE_128B);
  const auto run = [](auto kernel, const CUtensorMap& m, size_t bytes) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = 32, .shared_bytes = bytes}, m); });
  };
  EXPECT_EQ(run(placed_kernel<128>, map, 16384), "");
  EXPECT_TRUE(has(run(placed_kernel<64>, map, 16384), {"not a multiple of 128"}));
  EXPECT_TRUE(has(run(placed_kernel<128>, map, 2048), {"outside the block's variables"}));
  EXPECT_TRUE(has(run(placed_kernel<128>, CUtensorMap{}, 16384), {"this is no tensor map"}));
  // A map of more rows than there are: the copy reads behind the allocation.
  const CUtensorMap beyond = tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, x.get() + (kN * kH * kW - 1) * kPitch,
                                        {{.size = kC, .stride = 1, .box = 64},
                                         {.size = kW, .stride = kPitch, .box = kBoxW},
                                         {.size = kH, .stride = kPitch * kW, .box = kBoxH},
                                         {.size = kN, .stride = kPitch * kW * kH, .box = 1}},
                                        CU_TENSOR_MAP_SWIZZLE_128B);
  EXPECT_TRUE(has(run(placed_kernel<128>, beyond, 16384), {"behind the end of an allocation"}));
}
std::string refusal(int box_c, int64_t pitch, const void* data, CUtensorMapSwizzle swizzle) {
  try {
    tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, data,
               {{.size = kC, .stride = 1, .box = box_c}, {.size = kW, .stride = pitch, .box = kBoxW}}, swizzle);
  } catch (const Error& e) {
    return e.sentence();
  }
  return {};
}
TEST_F(TensorCopies, whose_maps_the_driver_refuses) {
  const BufferOf<uint16_t> x(values_);
  EXPECT_EQ(refusal(64, kPitch, x.get(), CU_TENSOR_MAP_SWIZZLE_128B), "");
  EXPECT_TRUE(has(refusal(64, kPitch, x.get() + 1, CU_TENSOR_MAP_SWIZZLE_128B), {"begin at a multiple of 16"}));
  EXPECT_TRUE(has(refusal(64, kPitch + 4, x.get(), CU_TENSOR_MAP_SWIZZLE_128B), {"a stride of 168 bytes"}));
  EXPECT_TRUE(has(refusal(72, kPitch, x.get(), CU_TENSOR_MAP_SWIZZLE_128B), {"144 bytes; with this swizzle 128"}));
  EXPECT_TRUE(has(refusal(64, kPitch, x.get(), CU_TENSOR_MAP_SWIZZLE_64B), {"with this swizzle 64"}));
  EXPECT_TRUE(has(refusal(12, kPitch, x.get(), CU_TENSOR_MAP_SWIZZLE_NONE), {"must be a multiple of 16"}));
  EXPECT_TRUE(has(refusal(264, kPitch, x.get(), CU_TENSOR_MAP_SWIZZLE_NONE), {"264 values along dimension 0"}));
}

}  // namespace
}  // namespace kern::kernels
