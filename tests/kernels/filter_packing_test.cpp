// Many filters packed by one kernel: each value rounded to bf16, where kernels on tensor cores look for it.
#include "kernels/conv/filter_packing.h"

#include <gtest/gtest.h>

#include <deque>

#include "kernels/common/bf16.h"
#include "tests/support/device_memory.h"

#ifdef KERN_CUDA
namespace kern::kernels {
namespace {
using testing::Values;

TEST(FilterPackingOnGpu, many_filters_either_way_go_into_few_launches) {
  if (!testing::cuda_available()) GTEST_SKIP() << "no GPU";
  const testing::TestedDevice on_gpu(Device::cuda);
  struct One {
    FilterPacking packing;
    Values<float> from;
    Values<Bf16> to;
  };
  std::deque<One> all;  // more than one launch holds
  for (int j = 0; j < 170; ++j) {
    const FilterPacking packing{
        .k = 2 + 2 * (j % 13), .taps = 1 + j % 9, .c = 2 + 2 * (j % 7), .transposed = j % 3 == 0};
    all.push_back({packing, Values<float>(size_t(packing.size())), Values<Bf16>(packing.bytes() / sizeof(Bf16))});
    for (size_t i = 0; i < size_t(packing.size()); ++i) all.back().from.host()[i] = float(i) * 0.37f - float(j);
  }
  std::vector<FilterToPack> orders;
  for (One& one : all) orders.push_back({one.packing, one.from.data(), one.to.data()});
  pack_filters({}, orders);
  testing::wait_for_device();
  for (One& one : all) {
    const auto [k, taps, c, transposed] = one.packing;
    for (int ki = 0; ki < k; ++ki)
      for (int t = 0; t < taps; ++t)
        for (int ci = 0; ci < c; ++ci) {
          const size_t to = size_t(transposed ? (ci * taps + t) * k + ki : (ki * taps + t) * c + ci);
          const float value = one.from.host()[size_t((ki * taps + t) * c + ci)];
          ASSERT_EQ(float(one.to.host()[to]), float(Bf16(value))) << k << ' ' << taps << ' ' << c << ' ' << transposed;
        }
  }
  pack_filters({}, {});
  testing::wait_for_device();
}

}  // namespace
}  // namespace kern::kernels
#endif
