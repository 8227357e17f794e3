#include "kernels/common/difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/benchmark_cases.h"
#include "engine/gpu.h"

namespace kern {
namespace {

template <class T>
void differences_are_found(Device device) {
  constexpr int64_t rows = 370, c = 19, pitch = 23;
  std::vector<T> a(rows * pitch, T(1e30f)), b(rows * c);  // what lies between rows is not looked at
  const auto set = [&](int64_t row, int64_t i, float x, float y) {
    a[size_t(row * pitch + i)] = T(x), b[size_t(row * c + i)] = T(y);
  };
  const auto share = [&] {
    BenchmarkArrays arrays(device);
    const auto there = [&](const std::vector<T>& v) {
      std::byte* const p = arrays.bytes(v.size() * sizeof(T));
      copy_bytes(device, p, v.size() * sizeof(T), Device::cpu, v.data(), v.size() * sizeof(T), v.size() * sizeof(T), 1);
      return reinterpret_cast<const T*>(p);
    };
    const BenchmarkOutput out{there(a), rows, c, pitch}, expected{there(b), rows, c, c};
    const BenchmarkOutput copy = copy_of(out, device, arrays);
    EXPECT_EQ(copy.pitch, c);
    EXPECT_EQ(largest_share(copy, expected, device), largest_share(out, expected, device));
    return largest_share(out, expected, device);
  };
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < c; ++i) set(row, i, float(i % 3), float(i % 3));
  EXPECT_EQ(share(), 0);
  set(rows - 1, c - 1, 2.5f, 2);
  EXPECT_EQ(share(), 0.25);
  set(0, 0, 3, -4);
  EXPECT_EQ(share(), 7.0 / 4);
  set(5, 7, NAN, 1);
  EXPECT_EQ(share(), HUGE_VAL);
  set(5, 7, 1, NAN);
  EXPECT_EQ(share(), HUGE_VAL);
  set(5, 7, std::numeric_limits<float>::infinity(), 1);
  EXPECT_EQ(share(), HUGE_VAL);
  for (auto& v : a) v = T(1.0f);
  for (auto& v : b) v = T(0.0f);
  EXPECT_EQ(share(), HUGE_VAL) << "something where nothing is expected";
}

TEST(Difference, OnTheCpu) {
  differences_are_found<float>(Device::cpu);
  differences_are_found<Bf16>(Device::cpu);
}
TEST(Difference, OnAGpu) {
  if (!gpu_available()) GTEST_SKIP() << "no GPU";
  differences_are_found<float>(Device::cuda);
  differences_are_found<Bf16>(Device::cuda);
}

}  // namespace
}  // namespace kern
