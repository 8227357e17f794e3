// Global memory under emulation: races among the threads of a block and among blocks, to the byte, and values that
// nobody wrote. Every fault is planted in a kernel whose mended twin must pass.
#include "kernels/common/block.cuh"
#include "kernels/common/elementwise.cuh"
#include "tests/emulator/fault_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

// --- races in a block ---
enum class Wait { none, warp, block };
template <Wait kWait>
__device__ void wait() {
  if (kWait == Wait::warp) __syncwarp();
  if (kWait == Wait::block) __syncthreads();
}
template <Wait kWait>
__global__ void read_of_another_kernel(int other, const float* x, float* y, float* z) {
  y[threadIdx.x] = x[threadIdx.x];
  wait<kWait>();
  z[threadIdx.x] = y[threadIdx.x ^ unsigned(other)];
}
template <Wait kWait>
__global__ void overwrite_of_another_kernel(int other, float* y) {
  const float v = y[threadIdx.x ^ unsigned(other)];
  wait<kWait>();
  y[threadIdx.x] = v;
}
template <bool kOne>
__global__ void leader_writes_kernel(float* y) {
  if (!kOne || threadIdx.x == 0) y[blockIdx.x] = 1;
}
constexpr const char* kInBlock[] = {"thread (",
                                    " global memory that ",
                                    "of its block ",
                                    "with no barrier between",
                                    "into an allocation of ",
                                    "global_memory_test.cu:"};
::testing::AssertionResult is_race_in_block(const std::string& said) {
  for (const char* part : kInBlock)
    if (!has(said, {part})) return has(said, {part});
  return ::testing::AssertionSuccess();
}
TEST(GlobalMemory, races_in_a_block) {
  const Buffer x(counting(kThreads)), y(counting(kThreads)), z(kThreads);
  const auto read = [&](auto kernel, int other) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, other, x.get(), y.get(), z.get()); });
  };
  EXPECT_EQ(read(read_of_another_kernel<Wait::block>, 33), "");
  EXPECT_TRUE(is_race_in_block(read(read_of_another_kernel<Wait::none>, 33)));
  EXPECT_TRUE(is_race_in_block(read(read_of_another_kernel<Wait::none>, 1))) << "threads of a warp";
  EXPECT_EQ(read(read_of_another_kernel<Wait::warp>, 1), "");
  EXPECT_TRUE(is_race_in_block(read(read_of_another_kernel<Wait::warp>, 33))) << "__syncwarp is for its warp alone";
  EXPECT_EQ(read(read_of_another_kernel<Wait::none>, 0), "") << "a thread reads what it wrote";
  EXPECT_EQ(z.values()[5], 5);
  const auto overwrite = [&](auto kernel, int other) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, other, y.get()); });
  };
  EXPECT_EQ(overwrite(overwrite_of_another_kernel<Wait::block>, 33), "");
  EXPECT_TRUE(is_race_in_block(overwrite(overwrite_of_another_kernel<Wait::none>, 33)));
  EXPECT_EQ(overwrite(overwrite_of_another_kernel<Wait::warp>, 2), "");
  EXPECT_TRUE(is_race_in_block(overwrite(overwrite_of_another_kernel<Wait::warp>, 34)));
  const auto leader = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 3, .block = kThreads}, y.get()); });
  };
  EXPECT_EQ(leader(leader_writes_kernel<true>), "");
  EXPECT_TRUE(is_race_in_block(leader(leader_writes_kernel<false>)));
}
// Who reads again behind the barrier is not taken for those who read before it.
__global__ void read_twice_kernel(float* y) {
  float v = y[0];
  __syncwarp();
  if (threadIdx.x == 1) {
    v += y[0];
    y[0] = v;
  }
}
TEST(GlobalMemory, a_barrier_of_the_warp_ends_what_its_lanes_read_before) {
  const Buffer y(counting(4));
  EXPECT_EQ(verdict([&] { KERN_LAUNCH(read_twice_kernel, {.grid = 1, .block = 32}, y.get()); }), "");
}
__global__ void count_and_read_kernel(int* count, int* out, bool wait) {
  atomicAdd(count, 1);
  if (wait) __syncthreads();
  out[threadIdx.x] = *count;
}
TEST(GlobalMemory, atomics_are_races_with_plain_reads_alone) {
  const BufferOf<int> count(std::vector<int>{0}), out(kThreads);
  const auto run = [&](bool wait) {
    return verdict(
        [&] { KERN_LAUNCH(count_and_read_kernel, {.grid = 1, .block = kThreads}, count.get(), out.get(), wait); });
  };
  EXPECT_EQ(run(true), "");
  EXPECT_TRUE(is_race_in_block(run(false)));
}

// --- to the byte ---
template <class T, int kShare>
__global__ void narrow_kernel(bool of_block, T* y) {
  const unsigned i = of_block ? blockIdx.x : threadIdx.x;
  if (!of_block || threadIdx.x == 0) y[i / kShare] = T(1);
}
template <class T>
void expect_exact() {
  const BufferOf<T> y(kThreads);
  const auto run = [&](auto kernel, bool of_block) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = of_block ? 8u : 1u, .block = kThreads}, of_block, y.get()); });
  };
  for (const bool of_block : {false, true}) {
    SCOPED_TRACE(of_block ? "blocks" : "threads");
    EXPECT_EQ(run(narrow_kernel<T, 1>, of_block), "") << "neighbours in one word are no race";
    const std::string said = run(narrow_kernel<T, 2>, of_block);
    if (of_block) {
      EXPECT_TRUE(has(said, {"writes global memory that block ", " wrote in the same launch"}));
    } else {
      EXPECT_TRUE(is_race_in_block(said));
    }
  }
}
TEST(GlobalMemory, races_of_narrow_values_are_told_apart) {
  expect_exact<uint16_t>();
  expect_exact<uint8_t>();
  expect_exact<float>();
}
// One half of each word by its own thread, then the word by another: narrow and wide accesses meet.
template <Wait kWait>
__global__ void halves_and_words_kernel(uint16_t* y, uint32_t* words, uint32_t* out) {
  y[threadIdx.x] = uint16_t(threadIdx.x);
  wait<kWait>();
  if (threadIdx.x < kThreads / 2) out[threadIdx.x] = words[kThreads / 2 - 1 - threadIdx.x];
}
template <bool kHalf>
__global__ void word_then_half_kernel(uint32_t* words) {
  if (threadIdx.x == 0) words[3] = 7;
  if (threadIdx.x == 40) reinterpret_cast<uint16_t*>(words)[kHalf ? 7 : 8] = 1;
}
TEST(GlobalMemory, narrow_and_wide_accesses_meet) {
  const BufferOf<uint32_t> y(std::vector<uint32_t>(kThreads, 0u)), out(kThreads);
  const auto run = [&](auto kernel) {
    return verdict([&] {
      KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, reinterpret_cast<uint16_t*>(y.get()), y.get(), out.get());
    });
  };
  EXPECT_EQ(run(halves_and_words_kernel<Wait::block>), "");
  EXPECT_EQ(out.values()[0], 62u | 63u << 16);
  EXPECT_TRUE(is_race_in_block(run(halves_and_words_kernel<Wait::none>)));
  const auto one = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, y.get()); });
  };
  EXPECT_EQ(one(word_then_half_kernel<false>), "");
  EXPECT_TRUE(is_race_in_block(one(word_then_half_kernel<true>)));
}

// --- what nobody wrote ---
template <class T>
__global__ void copy_kernel(int n, const T* x, T* y) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) y[i] = x[i];
}
template <class T>
std::string copied(int n, const T* x, T* y) {
  return verdict([&] { KERN_LAUNCH(copy_kernel<T>, {.grid = 2, .block = kThreads}, n, x, y); });
}
constexpr const char* kNobody = "bytes of global memory that nobody has written";
TEST(GlobalMemory, values_that_nobody_wrote) {
  const Buffer x(100), y(100), written(counting(100));
  EXPECT_EQ(copied(100, written.get(), y.get()), "");
  EXPECT_TRUE(has(copied(100, x.get(), y.get()), {"copy_kernel", "thread (", "reads 4 ", kNobody, "400 bytes"}));
  EXPECT_EQ(copied(60, written.get(), x.get()), "") << "a kernel writes";
  EXPECT_EQ(copied(60, x.get(), y.get()), "");
  EXPECT_TRUE(has(copied(61, x.get(), y.get()), {"reads 4 ", kNobody, ", 240 bytes into"}));
  cuda_check(cudaMemsetAsync(x.get() + 60, 0, 160), "a fill");
  EXPECT_EQ(copied(100, x.get(), y.get()), "") << "so does a fill";
}
TEST(GlobalMemory, copies_bring_along_what_was_written) {
  const Buffer written(counting(100)), half(100), of_half(100), y(100);
  const auto copy = [](float* to, const float* from, size_t n) {
    cuda_check(cudaMemcpy(to, from, n * sizeof(float), cudaMemcpyDeviceToDevice), "a copy");
  };
  copy(half.get(), written.get(), 51);
  copy(of_half.get(), half.get(), 100);
  EXPECT_EQ(copied(51, of_half.get(), y.get()), "");
  EXPECT_TRUE(has(copied(52, of_half.get(), y.get()), {kNobody, ", 204 bytes into"}));
  copy(of_half.get() + 3, half.get(), 97);  // elsewhere in a word of the emulator's marks
  EXPECT_EQ(copied(54, of_half.get(), y.get()), "");
  EXPECT_TRUE(has(copied(55, of_half.get(), y.get()), {kNobody}));
}
TEST(GlobalMemory, half_of_a_word_that_nobody_wrote) {
  const BufferOf<uint16_t> x(64), ones(std::vector<uint16_t>(64, 1));
  const BufferOf<uint32_t> y(32);
  const auto words = reinterpret_cast<const uint32_t*>(x.get());
  EXPECT_EQ(copied(63, ones.get(), x.get()), "");
  EXPECT_EQ(copied(31, words, y.get()), "");
  EXPECT_TRUE(has(copied(32, words, y.get()), {"reads 4 ", kNobody, ", 124 bytes into"}));
}
TEST(GlobalMemory, whoever_hands_out_pieces_says_so) {
  const Buffer x(counting(100)), y(100);
  emulator::forget_contents(x.get() + 20, 40, nullptr);
  EXPECT_TRUE(has(copied(100, x.get(), y.get()), {"reads 4 ", kNobody}));
  EXPECT_EQ(copied(20, x.get(), y.get()), "");
  EXPECT_EQ(copied(70, x.get() + 30, y.get()), "");
  EXPECT_TRUE(has(copied(1, x.get() + 29, y.get()), {kNobody, ", 116 bytes into"}));
  // In the order of the stream: what was given to it before may still read.
  KERN_LAUNCH(copy_kernel<float>, {.grid = 2, .block = kThreads}, 70, x.get() + 30, y.get());
  emulator::forget_contents(x.get(), 400, nullptr);
  cuda_check(cudaDeviceSynchronize(), "waiting");
  EXPECT_TRUE(has(copied(1, x.get(), y.get()), {kNobody}));
}
// Scratch that a kernel adds to without having set it to zero.
template <bool kFirst>
__global__ void accumulate_kernel(const float* x, float* sum) {
  for (int i = 0; i < 4; ++i) {
    const float v = x[4 * threadIdx.x + unsigned(i)];
    sum[threadIdx.x] = kFirst && i == 0 ? v : sum[threadIdx.x] + v;
  }
}
TEST(GlobalMemory, sums_that_begin_nowhere) {
  const Buffer x(counting(4 * kThreads));
  const auto run = [&](auto kernel) {
    const Buffer sum(kThreads);
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, x.get(), sum.get()); });
  };
  EXPECT_EQ(run(accumulate_kernel<true>), "");
  EXPECT_TRUE(has(run(accumulate_kernel<false>), {kNobody}));
}
// cp.async reads when it is issued.
template <bool kWritten>
__global__ void staged_kernel(const float* x, float* y) {
  KERN_SHARED(float[4 * kThreads], tile);
  emulator::copy_async(&tile[4 * threadIdx.x], x + 4 * threadIdx.x, 16, kWritten || threadIdx.x < 5 ? 12 : 16,
                       SourceLocation::current());
  emulator::copy_async_commit();
  emulator::copy_async_wait(0);
  __syncthreads();
  y[threadIdx.x] = tile[4 * threadIdx.x + 3];
}
TEST(GlobalMemory, copies_to_shared_memory_of_what_nobody_wrote) {
  const Buffer x(4 * kThreads), y(kThreads);
  for (int i = 0; i < kThreads; ++i) cuda_check(cudaMemsetAsync(x.get() + 4 * i, 0, 12), "three of four");
  const auto run = [&](auto kernel) {
    return verdict([&] { KERN_LAUNCH(kernel, {.grid = 1, .block = kThreads}, x.get(), y.get()); });
  };
  EXPECT_EQ(run(staged_kernel<true>), "");
  EXPECT_TRUE(has(run(staged_kernel<false>), {"reads 16 ", kNobody}));
}

}  // namespace
}  // namespace kern::kernels
