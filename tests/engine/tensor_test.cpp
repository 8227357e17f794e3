#include "engine/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kernels/common/sanitizer.h"

namespace kern {
namespace {

Tensor counted(const Shape& shape) {
  std::vector<float> v(size_t(shape.size()));
  std::iota(v.begin(), v.end(), 0.0f);
  return Tensor::from(shape, v);
}

TEST(Tensor, slices_and_slots) {
  const Tensor t = counted({2, 2, 3});
  const Tensor last = t.channel_slice(1, 3);
  EXPECT_EQ(last.shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(last.pitch(), 3);
  EXPECT_FALSE(last.dense());
  EXPECT_EQ(last.values(), (std::vector<float>{1, 2, 4, 5, 7, 8, 10, 11}));
  EXPECT_TRUE(last.clone().dense());
  EXPECT_EQ(t.batch_slice(1, 2).values(), (std::vector<float>{6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(last.batch_slice(1, 2).values(), (std::vector<float>{7, 8, 10, 11}));

  const int64_t widths[] = {2, 1};
  auto slices = Tensor::empty_channel_slices({2, 2}, widths);
  slices[0].copy_from(last);
  slices[1].fill(-1);
  const Tensor joined = Tensor::joined_channels(slices);
  ASSERT_TRUE(joined);
  EXPECT_TRUE(joined.dense());
  EXPECT_EQ(joined.values(), (std::vector<float>{1, 2, -1, 4, 5, -1, 7, 8, -1, 10, 11, -1}));
  const Tensor wrong_order[] = {slices[1], slices[0]};
  EXPECT_FALSE(Tensor::joined_channels(wrong_order));
}

TEST(Tensor, versions_follow_slots) {
  const int64_t widths[] = {2, 1};
  auto slices = Tensor::empty_channel_slices({4}, widths);
  Tensor joined = Tensor::joined_channels(slices);
  const auto v0 = slices[0].version(), v1 = slices[1].version(), whole = joined.version();
  slices[1].mutate();
  EXPECT_EQ(slices[0].version(), v0) << "a neighbour's write is not ours";
  EXPECT_GT(slices[1].version(), v1);
  EXPECT_GT(joined.version(), whole);
  joined.mutate();
  EXPECT_GT(slices[0].version(), v0);
}

TEST(Tensor, errors_are_sentences) {
  auto sentence = [](auto f) {
    try {
      f();
    } catch (const Error& e) {
      return e.sentence();
    }
    return std::string("no error");
  };
  const Tensor t = counted({2, 3});
  EXPECT_EQ(sentence([&] { t.item(); }), "item() needs a tensor of one value, this one is [2,3]");
  EXPECT_EQ(sentence([&] { t.data<int32_t>(); }), "a tensor of f32 was used as i32");
  EXPECT_EQ(sentence([&] { t.reshaped({4}); }), "reshape: [2,3] has 6 values, [4] has 4");
  EXPECT_EQ(sentence([&] { Tensor::from({3}, std::vector<float>{1}); }), "Tensor::from: 1 values given for shape [3]");
  EXPECT_EQ(sentence([&] { Tensor().size(); }), "an empty Tensor was used");
}

TEST(Memory, counts_live_and_peak_and_reuses) {
  reset_peak_memory();
  const auto before = memory_counters();
  {
    const Tensor a = Tensor::empty({1000}), b = Tensor::empty({1000});
    EXPECT_GE(memory_counters().live, before.live + 8000);
  }
  const auto after = memory_counters();
  EXPECT_EQ(after.live, before.live);
  EXPECT_GE(after.peak, before.live + 8000);
  if (kAddressSanitizer) return;  // nothing is reused there
  { const Tensor a = Tensor::empty({1000}), b = Tensor::empty({1000}); }
  EXPECT_EQ(memory_counters().allocations, after.allocations) << "the second round reuses the first one's blocks";
}

}  // namespace
}  // namespace kern
