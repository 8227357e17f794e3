// For every fault that the emulator must catch: a kernel with the fault planted, and its mended twin, which must pass.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/common/block.cuh"
#include "kernels/common/elementwise.cuh"
#include "tests/emulator/fault_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

// --- bounds ---
template <int kBeyond>
__global__ void shift_kernel(int n, const float* x, float* y) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) y[i] = x[i + kBeyond];
}
TEST(EmulatorFaults, reads_behind_an_allocation) {
  const Buffer x(counting(100)), y(100);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 2, .block = kThreads}, 100, x.get(), y.get()); });
  };
  EXPECT_EQ(run(shift_kernel<0>), "");
  EXPECT_TRUE(has(run(shift_kernel<1>),
                  {"thread (35,0,0) of block (1,0,0)",
                   "reads 4 bytes 0 bytes behind the end of an allocation of 400 bytes", "faults_test.cu:"}));
  EXPECT_TRUE(
      has(run(shift_kernel<-1>), {"thread (0,0,0) of block (0,0,0)", "4 bytes before an allocation of 400 bytes"}));
}
TEST(EmulatorFaults, reads_what_was_freed) {
  float* gone = nullptr;
  {
    const Buffer x(counting(100));
    gone = x.get();
  }
  const Buffer y(100);
  EXPECT_TRUE(has(verdict([&] { KERN_LAUNCH(shift_kernel<0>, {.grid = 2, .block = kThreads}, 100, gone, y.get()); }),
                  {"an allocation of 400 bytes that was freed"}));
}
TEST(EmulatorFaults, reads_the_hosts_memory) {
  const std::vector<float> x = counting(100);
  const Buffer y(100);
  EXPECT_TRUE(
      has(verdict([&] { KERN_LAUNCH(shift_kernel<0>, {.grid = 2, .block = kThreads}, 100, x.data(), y.get()); }),
          {"reads 4 bytes of the host's memory"}));
}
template <int kSize>
__global__ void reverse_kernel(const float* x, float* y) {
  KERN_SHARED(float[kSize], of_block);
  float* tile = of_block;
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}
TEST(EmulatorFaults, writes_outside_a_shared_array) {
  const Buffer x(counting(kThreads)), y(kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, x.get(), y.get()); });
  };
  EXPECT_EQ(run(reverse_kernel<kThreads>), "");
  EXPECT_EQ(y.values()[3], float(kThreads - 4));
  EXPECT_TRUE(
      has(run(reverse_kernel<kThreads - 1>), {"writes 4 bytes of shared memory outside the block's variables"}));
}
__global__ void copy_four_kernel(int offset, const float* x, float* y) {
  const Pack<4> four = load<4>(x + offset + 4 * threadIdx.x);
  y[threadIdx.x] = four.v[0] + four.v[3];
}
TEST(EmulatorFaults, wide_access_that_is_not_aligned) {
  const Buffer x(counting(512)), y(kThreads);
  const auto run = [&](int offset) {
    return verdict([&] { KERN_LAUNCH(copy_four_kernel, {.grid = 1, .block = kThreads}, offset, x.get(), y.get()); });
  };
  EXPECT_EQ(run(4), "");
  EXPECT_TRUE(has(run(2), {"touches 16 bytes at an address that is not a multiple of 16"}));
}

// --- shared memory ---
template <bool kWhole>
__global__ void unwritten_kernel(const float* x, float* y) {
  KERN_SHARED(float[kThreads], tile);
  if (kWhole || threadIdx.x != 5) tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}
TEST(EmulatorFaults, reads_shared_memory_that_nobody_wrote) {
  const Buffer x(counting(kThreads)), y(kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 3, .block = kThreads}, x.get(), y.get()); });
  };
  // The same answer in every block, though the one before has written the same place.
  EXPECT_TRUE(has(run(unwritten_kernel<false>), {"thread (58,0,0)", "reads shared memory that nobody has written"}));
}
template <bool kBarrier>
__global__ void race_kernel(const float* x, float* y) {
  KERN_SHARED(float[kThreads], tile);
  tile[threadIdx.x] = x[threadIdx.x];
  if (kBarrier) __syncthreads();
  y[threadIdx.x] = tile[(threadIdx.x + 1) % kThreads];
}
template <bool kBarrier>
__global__ void overwrite_kernel(const float* x, float* y) {
  KERN_SHARED(float[kThreads], tile);
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  const float v = tile[(threadIdx.x + 1) % kThreads];
  if (kBarrier) __syncthreads();
  tile[threadIdx.x] = v;
  y[threadIdx.x] = v;
}
template <bool kBarrier>
__global__ void warp_race_kernel(const float* x, float* y) {
  KERN_SHARED(float[kThreads], tile);
  tile[threadIdx.x] = x[threadIdx.x];
  if (kBarrier) __syncwarp();
  y[threadIdx.x] = tile[threadIdx.x ^ 1];
}
TEST(EmulatorFaults, races_in_shared_memory) {
  const Buffer x(counting(kThreads)), y(kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, x.get(), y.get()); });
  };
  EXPECT_EQ(run(race_kernel<true>), "");
  // Either the reader or the writer comes first.
  const std::string raced = run(race_kernel<false>);
  EXPECT_TRUE(has(raced, {"with no barrier between"}) || has(raced, {"nobody has written"})) << raced;
  EXPECT_EQ(run(overwrite_kernel<true>), "");
  EXPECT_TRUE(has(run(overwrite_kernel<false>), {"with no barrier between"}));
  EXPECT_EQ(run(warp_race_kernel<true>), "");
  const std::string in_warp = run(warp_race_kernel<false>);
  EXPECT_TRUE(has(in_warp, {"with no barrier between"}) || has(in_warp, {"nobody has written"})) << in_warp;
}

// --- barriers ---
template <bool kAll>
__global__ void leaving_kernel(const float* x, float* y) {
  KERN_SHARED(float[kThreads], tile);
  tile[threadIdx.x] = x[threadIdx.x];
  if (!kAll && threadIdx.x == 7) return;
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
}
template <bool kSame>
__global__ void divergent_barrier_kernel(float* y) {
  if (kSame || threadIdx.x < 32) __syncthreads();
  else __syncthreads();
  y[threadIdx.x] = 1;
}
TEST(EmulatorFaults, barriers_that_not_all_reach) {
  const Buffer x(counting(kThreads)), y(kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, x.get(), y.get()); });
  };
  EXPECT_EQ(run(leaving_kernel<true>), "");
  const std::string left = run(leaving_kernel<false>);
  EXPECT_TRUE(has(left, {"have ended"})) << left;
  const auto run_divergent = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, y.get()); });
  };
  EXPECT_EQ(run_divergent(divergent_barrier_kernel<true>), "");
  EXPECT_TRUE(has(run_divergent(divergent_barrier_kernel<false>),
                  {"reaches a barrier of the block while others wait at another one"}));
}
template <bool kAll>
__global__ void divergent_shuffle_kernel(float* y) {
  float v = float(threadIdx.x);
  if (kAll || threadIdx.x % 32 < 16) v = __shfl_xor_sync(kAllLanes, v, 1);
  y[threadIdx.x] = v;
}
template <unsigned kMask>
__global__ void masked_shuffle_kernel(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x % 32 < 16) v = __shfl_sync(kMask, v, 16);
  y[threadIdx.x] = v;
}
TEST(EmulatorFaults, shuffles_that_not_all_reach) {
  const Buffer y(kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, y.get()); });
  };
  EXPECT_EQ(run(divergent_shuffle_kernel<true>), "");
  EXPECT_EQ(y.values()[6], 7);
  const std::string said = run(divergent_shuffle_kernel<false>);
  EXPECT_TRUE(has(said, {"__shfl_xor_sync"})) << said;
  EXPECT_TRUE(has(run(masked_shuffle_kernel<0x0000ffffu>), {"__shfl_sync reads lane 16, which is not in its mask"}));
  EXPECT_TRUE(has(run(masked_shuffle_kernel<0xfffffffeu>), {"__shfl_sync"}));
}

// --- blocks among themselves ---
template <bool kOwn>
__global__ void every_block_writes_kernel(float* y) {
  y[(kOwn ? blockIdx.x * blockDim.x : 0) + threadIdx.x] = 1;
}
template <bool kOwn>
__global__ void reads_the_next_block_kernel(int n, const float* x, float* y) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = x[i];
  if (!kOwn) y[i] = y[(i + blockDim.x) % unsigned(n)];
}
__global__ void count_kernel(int* count) { atomicAdd(count, 1); }
TEST(EmulatorFaults, blocks_that_race_in_global_memory) {
  const Buffer x(counting(4 * kThreads)), y(4 * kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 4, .block = kThreads}, y.get()); });
  };
  EXPECT_EQ(run(every_block_writes_kernel<true>), "");
  EXPECT_TRUE(has(run(every_block_writes_kernel<false>), {"writes global memory that block", "in the same launch"}));
  const auto run_read = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 4, .block = kThreads}, 4 * kThreads, x.get(), y.get()); });
  };
  EXPECT_EQ(run_read(reads_the_next_block_kernel<true>), "");
  EXPECT_TRUE(has(run_read(reads_the_next_block_kernel<false>), {"global memory that block", "in the same launch"}));
  const Buffer counter(std::vector<float>{0});
  EXPECT_EQ(verdict([&] {
              KERN_LAUNCH(count_kernel, {.grid = 4, .block = kThreads}, reinterpret_cast<int*>(counter.get()));
            }),
            "");
}

// --- launches ---
TEST(EmulatorFaults, launches_that_no_gpu_takes) {
  const Buffer y(kThreads);
  const auto run = [&](LaunchConfig config) {
    return verdict([&] { KERN_LAUNCH(every_block_writes_kernel<true>, config, y.get()); });
  };
  EXPECT_TRUE(has(run({.grid = 1, .block = 1025}), {"a block of 1025 threads"}));
  EXPECT_TRUE(has(run({.grid = {1, 65536}, .block = 1}), {"y and z may be 65535"}));
  EXPECT_TRUE(has(run({.grid = 1, .block = 1, .shared_bytes = 300000}), {"300000 bytes of shared memory"}));
  EXPECT_EQ(run({.grid = 0, .block = 1}), "") << "no work is no error";
}

}  // namespace
}  // namespace kern::kernels
