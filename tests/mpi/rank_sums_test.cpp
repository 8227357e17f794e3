// Sums over ranks on the host and on GPUs; on emulated ones NCCL is its stand-in (tests/nvidia/fake_nccl.cpp).
#include "engine/rank_sums.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/autograd.h"
#include "engine/capture.h"
#include "engine/communicator.h"
#include "engine/gpu.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/mse.h"
#include "engine/ops/unary.h"
#include "kernels/common/nvidia/nccl.h"

namespace kern {
namespace {

// The same on every rank, different from seed to seed.
Tensor values(const Shape& shape, int seed) {
  Tensor t = Tensor::empty(shape, {});
  for (int64_t i = 0; i < t.size(); ++i) t.mutate()[i] = std::sin(float(i * 13 % 101 + seed * 7));
  return t;
}

#define SKIP_WITHOUT_NCCL()                                       \
  if (std::string why; !gpu_available(&why)) GTEST_SKIP() << why; \
  if (!kernels::opened_nccl()) GTEST_SKIP() << kernels::nccl_in_words()

TEST(RankSums, OfTheHost) {
  Communicator& all = communicator();
  Tensor t = values({3, 5}, all.rank());
  sum_over_ranks(t);
  for (int64_t i = 0; i < t.size(); ++i) {
    float expected = values({3, 5}, 0).values()[size_t(i)];
    for (int r = 1; r < all.size(); ++r) expected += values({3, 5}, r).values()[size_t(i)];
    EXPECT_EQ(t.values()[size_t(i)], expected);
  }
}

TEST(RankSums, OfGpusAreTheHosts) {
  SKIP_WITHOUT_NCCL();
  prepare_rank_sums(Device::cuda);
  for (const int64_t n : {1, 7, 40000}) {
    Tensor host = values({n}, communicator().rank()), gpu = host.to(Device::cuda);
    sum_over_ranks(host);
    sum_over_ranks(gpu);
    EXPECT_EQ(gpu.values(), host.values()) << n;
  }
  check_rank_sums();
}

// The gradient of a step of two ranks, each with its half of the batch, is that of one with all of it: recorded,
// replayed, and as the code stands.
TEST(RankSums, MakeTheGradientOfTheWholeBatch) {
  SKIP_WITHOUT_NCCL();
  Communicator& all = communicator();
  prepare_rank_sums(Device::cuda);
  const int64_t batch = 2 * all.size();
  Tensor w = values({4, 3, 3, 2}, 50).to(Device::cuda), b = values({4}, 51).to(Device::cuda);
  w.require_grad();
  b.require_grad();
  const auto gradient = [&](const Tensor& x, const Tensor& target, bool over_ranks) -> std::vector<Tensor> {
    const Tensor loss = mse(relu(conv2d(x, w, b, {.padding = 1})), target);
    // The mean over the whole batch: every rank's has the share of its samples.
    const float share = over_ranks ? float(x.dim(0)) / float(batch) : 1.0f;
    backward(loss, Tensor::full({1}, share, {.device = Device::cuda}));
    std::vector<Tensor> out;
    for (Tensor* p : {&w, &b}) {
      Tensor g = p->grad().clone();
      if (over_ranks) sum_over_ranks(g);
      out.push_back(g);
      p->clear_grad();
    }
    return out;
  };
  const auto [first, last] = all.share(batch);
  const auto part = [&](const Tensor& whole) {
    Shape shape = whole.shape();
    shape[0] = last - first;
    const int64_t sample = whole.size() / whole.dim(0);
    Tensor t = Tensor::empty(shape, {});
    std::copy_n(whole.values().begin() + first * sample, t.size(), t.mutate());
    return t.to(Device::cuda);
  };
  StepGraphs graphs(Device::cuda);
  for (int step = 0; step < 3; ++step) {
    const Tensor x = values({batch, 6, 6, 2}, step), target = values({batch, 6, 6, 4}, 20 + step);
    const auto whole = gradient(x.to(Device::cuda), target.to(Device::cuda), false);
    const auto parts = graphs.run({part(x), part(target)},
                                  [&](const std::vector<Tensor>& in) { return gradient(in[0], in[1], true); });
    EXPECT_EQ(graphs.last(), step == 0   ? StepGraphs::Last::eager
                             : step == 1 ? StepGraphs::Last::recorded
                                         : StepGraphs::Last::replayed);
    for (size_t k = 0; k < whole.size(); ++k)
      for (int64_t i = 0; i < whole[k].size(); ++i)
        ASSERT_NEAR(parts[k].values()[size_t(i)], whole[k].values()[size_t(i)], 1e-6f) << step << " " << k << " " << i;
  }
}

TEST(RankSums, OfDifferentLengthsAreAnError) {
  SKIP_WITHOUT_NCCL();
  if (!gpu_info().emulated) GTEST_SKIP() << "NCCL itself would wait for ever";
  prepare_rank_sums(Device::cuda);
  Tensor t = values({communicator().rank() + 1}, 0).to(Device::cuda);
  EXPECT_ANY_THROW({
    sum_over_ranks(t);
    wait_for(Device::cuda);
  });
}

}  // namespace
}  // namespace kern
