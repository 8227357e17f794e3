// Many last sums by one kernel: the same bits as one kernel for each.
#include "kernels/common/late_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "tests/support/device_memory.h"

#ifdef KERN_CUDA
namespace kern::kernels {
namespace {

using testing::Values;

class LateSumsOnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::cuda_available()) GTEST_SKIP() << "no GPU";
  }
  const testing::TestedDevice on_gpu_{Device::cuda};
};

template <class T>
std::vector<float> summed(const Values<T>& parts, int64_t n, int chunks) {
  std::vector<float> out;
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int s = 0; s < chunks; ++s) sum += double(parts[size_t(s * n + i)]);
    out.push_back(float(sum));
  }
  return out;
}

TEST_F(LateSumsOnGpu, many_chunks_go_into_few_launches) {
  // More than one launch holds; lengths round the 32 of a block; floats and doubles in turn; none at all.
  std::deque<Values<float>> floats;
  std::deque<Values<double>> doubles;
  std::deque<Values<float>> outs;
  std::vector<ChunkSums> sums;
  std::vector<std::vector<float>> expected;
  const int count = 300;
  for (int j = 0; j < count; ++j) {
    const int64_t n = 1 + j % 67;
    const int chunks = j % 11;
    floats.emplace_back(size_t(n * chunks));
    doubles.emplace_back(size_t(n * chunks));
    for (size_t i = 0; i < size_t(n * chunks); ++i) {
      floats.back()[i] = float(int(i * 7 + size_t(j)) % 19 - 9);
      doubles.back()[i] = double(int(i * 5 + size_t(j)) % 23 - 11);
    }
    outs.emplace_back(size_t(n), NAN);
    const bool of_doubles = j % 2 == 1;
    sums.push_back({.n = n,
                    .chunks = chunks,
                    .of_doubles = of_doubles,
                    .parts = of_doubles ? static_cast<const void*>(doubles.back().data()) : floats.back().data(),
                    .out = outs.back().data()});
    expected.push_back(of_doubles ? summed(doubles.back(), n, chunks) : summed(floats.back(), n, chunks));
  }
  finish_chunk_sums({}, sums);
  testing::wait_for_device();
  for (size_t j = 0; j < size_t(count); ++j)
    for (size_t i = 0; i < expected[j].size(); ++i) EXPECT_EQ(outs[j][i], expected[j][i]) << j << " " << i;
  finish_chunk_sums({}, {});
}

TEST_F(LateSumsOnGpu, parameters_of_many_norms) {
  struct Norm {
    int c, groups, parts_of_group, terms, slopes;
    Values<double> sums;
    Values<float> inverse, weight, bias, slope;
  };
  std::vector<Norm> norms;
  for (int j = 0; j < 100; ++j) {
    Norm m{.c = 1 + j * 5 % 37,
           .groups = 1 + j % 3,
           .parts_of_group = 1 + j % 4,
           .terms = 2 + j % 2,
           .slopes = 1,
           .sums = Values<double>(0),
           .inverse = Values<float>(0),
           .weight = Values<float>(0),
           .bias = Values<float>(0),
           .slope = Values<float>(0)};
    if (j % 4 == 3) m.slopes = m.c;
    m.sums = Values<double>(size_t(m.groups * m.parts_of_group * m.terms * m.c));
    for (size_t i = 0; i < m.sums.size(); ++i) m.sums[i] = double(int(i * 3 + size_t(j)) % 17 - 8);
    m.inverse = Values<float>(size_t(m.groups * m.c));
    for (size_t i = 0; i < m.inverse.size(); ++i) m.inverse[i] = float(1 + int(i) % 4);
    m.weight = m.bias = m.slope = Values<float>(size_t(m.c), NAN);
    norms.push_back(std::move(m));
  }
  std::vector<NormParameterSums> sums;
  for (size_t j = 0; j < norms.size(); ++j) {
    Norm& m = norms[j];
    sums.push_back({.inverse = m.inverse.data(),
                    .sums = m.sums.data(),
                    .weight = j % 5 ? m.weight.data() : nullptr,
                    .bias = j % 7 ? m.bias.data() : nullptr,
                    .slope = m.terms == 3 ? m.slope.data() : nullptr,
                    .c = m.c,
                    .parts = m.groups * m.parts_of_group,
                    .parts_of_group = m.parts_of_group,
                    .terms = m.terms,
                    .slopes = m.slopes});
  }
  finish_norm_parameter_sums({}, sums);
  testing::wait_for_device();
  for (size_t j = 0; j < norms.size(); ++j) {
    const Norm& m = norms[j];
    double shared = 0;
    for (int c = 0; c < m.c; ++c) {
      double bias = 0, weight = 0, slope = 0;
      for (int part = 0; part < m.groups * m.parts_of_group; ++part) {
        const double* at = m.sums.host() + size_t(part * m.terms * m.c + c);
        bias += at[0];
        weight += at[m.c] * double(m.inverse[size_t(part / m.parts_of_group * m.c + c)]);
        if (m.terms == 3) slope += at[2 * m.c];
      }
      shared += slope;
      EXPECT_TRUE(sums[j].bias ? m.bias[size_t(c)] == float(bias) : std::isnan(m.bias[size_t(c)])) << j;
      EXPECT_TRUE(sums[j].weight ? m.weight[size_t(c)] == float(weight) : std::isnan(m.weight[size_t(c)])) << j;
      if (sums[j].slope && m.slopes == m.c) {
        EXPECT_EQ(m.slope[size_t(c)], float(slope)) << j;
      }
    }
    if (sums[j].slope && m.slopes == 1) {
      EXPECT_EQ(m.slope[0], float(shared)) << j;
    }
  }
}

}  // namespace
}  // namespace kern::kernels
#endif
