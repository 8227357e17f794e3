// The engine on a GPU, emulated or real: memory, copies, scalars. Without a GPU the sentence that says so.
#include "engine/gpu.h"

#include <gtest/gtest.h>

#include "engine/autograd.h"
#include "engine/device_scalar.h"
#include "engine/ops/unary.h"
#include "engine/random.h"
#include "engine/tensor.h"
#ifdef KERN_CUDA_EMULATED
#include "kernels/common/cuda.h"
#endif
#include "kernels/common/sanitizer.h"

namespace kern {
namespace {

class Gpu : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!gpu_available(&why)) GTEST_SKIP() << why;
  }
};

TEST(NoGpu, is_a_sentence) {
  std::string why;
  if (gpu_available(&why)) GTEST_SKIP() << "there is a GPU";
  EXPECT_NE(why.find("use device=cpu"), std::string::npos) << why;
  EXPECT_THROW(device_of(DeviceChoice::cuda), Error);
  EXPECT_EQ(device_of(DeviceChoice::automatic), Device::cpu);
  EXPECT_THROW(Tensor::empty({3}, {.device = Device::cuda}), Error);
}

Tensor counting(const Shape& shape) {
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.mutate()[i] = float(i);
  return t;
}

TEST_F(Gpu, values_go_there_and_come_back) {
  const Tensor x = counting({3, 5}), there = x.to(Device::cuda);
  EXPECT_EQ(there.device(), Device::cuda);
  EXPECT_EQ(there.values(), x.values());
  EXPECT_EQ(there.to(Device::cpu).values(), x.values());
  EXPECT_EQ(there.batch_slice(1, 3).channel_slice(2, 4).values(), (std::vector<float>{7, 8, 12, 13}));
  const std::vector<int32_t> labels{3, -1, 4};
  EXPECT_EQ(Tensor::from({3}, labels).to(Device::cuda).integers(), labels);
  EXPECT_EQ(Tensor::empty({0, 4}, {.device = Device::cuda}).values(), std::vector<float>{});
}

TEST_F(Gpu, rows_with_a_pitch_are_copied_between_slots) {
  const std::vector<int64_t> widths{2, 3};
  auto slices = Tensor::empty_channel_slices({4}, widths, {.device = Device::cuda});
  slices[0].fill(7);
  slices[1].copy_from(counting({4, 3}));
  const Tensor whole = Tensor::joined_channels(slices);
  EXPECT_EQ(whole.values(), (std::vector<float>{7, 7, 0, 1, 2, 7, 7, 3, 4, 5, 7, 7, 6, 7, 8, 7, 7, 9, 10, 11}));
  Tensor back = Tensor::zeros({4, 3});
  back.copy_from(slices[1]);
  EXPECT_EQ(back.values(), counting({4, 3}).values());
}

TEST_F(Gpu, fills_and_zeros) {
  EXPECT_EQ(Tensor::zeros({2, 2}, {.device = Device::cuda}).values(), std::vector<float>(4, 0.0f));
  EXPECT_EQ(Tensor::full({5}, 2.5f, {.device = Device::cuda}).values(), std::vector<float>(5, 2.5f));
}

TEST_F(Gpu, memory_is_counted_by_itself_and_used_again) {
  const MemoryCounters host = memory_counters(Device::cpu);
  release_unused_memory(Device::cuda);
  const MemoryCounters before = memory_counters(Device::cuda);
  {
    const Tensor t = Tensor::empty({1 << 20}, {.device = Device::cuda});
    EXPECT_EQ(memory_counters(Device::cuda).live - before.live, size_t{4} << 20);
  }
  const uint64_t allocations = memory_counters(Device::cuda).allocations;
  EXPECT_EQ(memory_counters(Device::cuda).live, before.live);
  const Tensor again = Tensor::empty({1 << 20}, {.device = Device::cuda});
  if (!kAddressSanitizer) {  // nothing is reused there
    EXPECT_EQ(memory_counters(Device::cuda).allocations, allocations);
  }
  EXPECT_EQ(memory_counters(Device::cpu).live, host.live);
}

TEST_F(Gpu, too_much_is_a_sentence) {
  const int64_t values = int64_t(gpu_info().memory / 4) + (1 << 20);
  try {
    Tensor::empty({values}, {.device = Device::cuda});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.sentence().substr(0, 28), "out of memory: a tensor need");
    EXPECT_NE(e.sentence().find("of the GPU's memory"), std::string::npos) << e.sentence();
  }
}

TEST_F(Gpu, scalars_are_read_where_kernels_run) {
  DeviceScalar<int64_t> n = 5;
  auto there = [&] {
    int64_t value = 0;
    copy_bytes(Device::cpu, &value, 8, Device::cuda, n.on(Device::cuda), 8, 8, 1);
    return value;
  };
  EXPECT_EQ(*n.on(Device::cpu), 5);
  EXPECT_EQ(there(), 5);
  n.set(6);
  EXPECT_EQ(there(), 6);
  const DeviceScalar<int64_t> copy = n;
  n.set(7);
  EXPECT_EQ(copy.value(), 6);
  EXPECT_EQ(there(), 7);
}

TEST_F(Gpu, a_leaf_moves_with_everyone_who_holds_it) {
  Tensor x = counting({4});
  const Tensor other = x;
  x.move_to(Device::cuda);
  EXPECT_EQ(other.device(), Device::cuda);
  EXPECT_EQ(other.values(), counting({4}).values());
}

TEST_F(Gpu, an_op_and_its_gradient) {
  Tensor x = Tensor::from({4}, std::vector<float>{-1, 2, -3, 4}).to(Device::cuda);
  x.require_grad();
  const Tensor y = relu(x);
  EXPECT_EQ(y.values(), (std::vector<float>{0, 2, 0, 4}));
  backward(y, Tensor::full({4}, 3, {.device = Device::cuda}));
  EXPECT_EQ(x.grad().values(), (std::vector<float>{0, 3, 0, 3}));
}

TEST_F(Gpu, random_numbers_of_a_step_that_is_over_are_refused) {
  Generator g(1);
  const Generator::Draw draw = g.draw(RandomStream::dropout);
  EXPECT_NE(draw.step_on(Device::cuda), nullptr);
  g.advance();
  EXPECT_EQ(*draw.step_on(Device::cpu), 0u);
  EXPECT_THROW(draw.step_on(Device::cuda), Error);
}

#ifdef KERN_CUDA_EMULATED
TEST_F(Gpu, what_a_former_owner_left_in_a_block_is_not_read) {
  if (kAddressSanitizer) GTEST_SKIP() << "nothing is reused there";
  { const Tensor former = Tensor::full({777}, 1, {.device = Device::cuda}); }
  const Tensor t = Tensor::empty({777}, {.device = Device::cuda});
  std::string said;
  try {
    relu(t).values();
  } catch (const Error& e) {
    said = e.sentence();
  }
  emulator::forget_faults();
  EXPECT_NE(said.find("unary forward: thread"), std::string::npos) << said;
  EXPECT_NE(said.find("nobody"), std::string::npos) << said;
}
#endif

}  // namespace
}  // namespace kern
