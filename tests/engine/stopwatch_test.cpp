#include "engine/stopwatch.h"

#include <gtest/gtest.h>

#include "engine/tensor.h"

namespace kern {
namespace {

TEST(CallSeries, IsCalledOneByOneOnTheCpu) {
  int calls = 0;
  const CallSeries series(Device::cpu, 5, [&](int i) {
    EXPECT_EQ(i, calls % 5);
    ++calls;
  });
  EXPECT_FALSE(series.recorded());
  EXPECT_EQ(calls, 0);
  Stopwatch watch(Device::cpu);
  EXPECT_GE(series.milliseconds_of_one(watch), 0);
  EXPECT_EQ(calls, 5);
}

TEST(CallSeries, IsRecordedOnceOnAGpu) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU";
  Tensor x = Tensor::zeros({64}, {.device = Device::cuda});
  int calls = 0;
  const CallSeries series(Device::cuda, 3, [&](int i) { ++calls, x.fill(float(i + 1)); });
  EXPECT_TRUE(series.recorded());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(x.values()[0], 0) << "recorded, not done";
  Stopwatch watch(Device::cuda);
  EXPECT_GE(series.milliseconds_of_one(watch), 0);
  EXPECT_EQ(x.values()[0], 3);
  EXPECT_EQ(calls, 3);
}

TEST(CallSeries, WhatCannotBeRecordedIsCalledOneByOne) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU";
  Tensor x = Tensor::zeros({64}, {.device = Device::cuda});
  int calls = 0;
  const CallSeries series(Device::cuda, 3, [&](int) {
    ++calls;
    EXPECT_EQ(x.values()[5], 0);  // the host reads
  });
  EXPECT_FALSE(series.recorded());
  Stopwatch watch(Device::cuda);
  calls = 0;
  EXPECT_GE(series.milliseconds_of_one(watch), 0);
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace kern
