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
    FilterPacking packing{.k = 2 + 2 * (j % 13), .taps = 1 + j % 9, .c = 2 + 2 * (j % 7), .transposed = j % 3 == 0};
    if (j % 5 == 0) {  // in blocks: stages of 16 or 32 values in, the taps backwards
      (packing.transposed ? packing.k : packing.c) = j % 2 ? 96 : 48;
      packing.block = 8 << j % 4, packing.depth = j % 2 ? 32 : 16;
      packing.parts = packing.taps % 2 ? 1 : 2;
      for (int t = 0; t < packing.taps; ++t) packing.order |= uint64_t(packing.taps - 1 - t) << 4 * t;
    }
    all.push_back({packing, Values<float>(size_t(packing.k) * size_t(packing.taps * packing.c)),
                   Values<Bf16>(packing.bytes() / sizeof(Bf16))});
    for (size_t i = 0; i < all.back().from.size(); ++i) all.back().from.host()[i] = float(i) * 0.37f - float(j);
  }
  std::vector<FilterToPack> orders;
  for (One& one : all) orders.push_back({one.packing, one.from.data(), one.to.data()});
  pack_filters({}, orders);
  testing::wait_for_device();
  for (One& one : all) {
    const FilterPacking& p = one.packing;
    const int k = p.k, taps = p.taps, c = p.c;
    const bool transposed = p.transposed;
    if (p.block) {
      size_t to = 0;
      for (int b = 0; b < p.out(); b += p.block)
        for (int part = 0; part < p.parts; ++part)
          for (int i = 0; i < p.in(); i += p.depth)
            for (int t = 0; t < taps / p.parts; ++t)
              for (int sixteen = 0; sixteen < p.depth; sixteen += 16)
                for (int rows = 0; rows < p.block; rows += 8)
                  for (int half = 0; half < 16; half += 8)
                    for (int row = 0; row < 8; ++row)
                      for (int at = 0; at < 8; ++at, ++to) {
                        const int out = b + rows + row, in = i + sixteen + half + at;
                        const int tap = taps - 1 - (part * (taps / p.parts) + t);
                        const int ki = transposed ? in : out, ci = transposed ? out : in;
                        const float value =
                            out < p.out() ? float(Bf16(one.from.host()[size_t((ki * taps + tap) * c + ci)])) : 0.0f;
                        ASSERT_EQ(float(one.to.host()[to]), value) << k << ' ' << taps << ' ' << c << ' ' << transposed;
                      }
      EXPECT_EQ(int64_t(to), p.size());
      continue;
    }
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
