// Batch norms over the samples of all ranks: what one process with the whole batch has.
#include "engine/rank_norms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/communicator.h"
#include "engine/dry_run.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/mul.h"
#include "engine/ops/norm_act.h"
#include "engine/ops/sum.h"

namespace kern {
namespace {

constexpr int kChannels = 5;

// With another mean in each channel, `apart` times its number.
Tensor values(const Shape& shape, int seed, float apart = 0) {
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i)
    t.mutate()[i] = std::sin(float(i * 13 % 101 + seed * 7)) + float(i % kChannels) * apart;
  return t;
}
Tensor rows_of(const Tensor& whole, int64_t first, int64_t last) { return whole.batch_slice(first, last).clone(); }

struct Case {
  Activation act = Activation::identity;
  bool plain = false;  // the op batch_norm
  bool affine = true, residual = false;
  bool frozen_weight = false;
};

struct Result {
  std::vector<float> y, dx, dweight, dbias, dslope, running_mean, running_variance;
};

// A norm and the gradients of sum(y * probe).
Result run(const Case& c, const Tensor& x, const Tensor& probe, bool counts = true) {
  Tensor in = x.clone(), weight = values({kChannels}, 3), bias = values({kChannels}, 4), slope = values({kChannels}, 6),
         mean = values({kChannels}, 5), variance = Tensor::full({kChannels}, 2);
  in.require_grad();
  if (!c.frozen_weight) weight.require_grad();
  bias.require_grad();
  slope.require_grad();
  if (!c.affine) weight = {}, bias = {};
  const bool prelu = c.act == Activation::prelu;
  Tensor y;
  if (c.plain) {
    y = batch_norm(in, weight, bias, mean, variance, {.momentum = 0.3f});
  } else {
    y = norm_act(in,
                 {.weight = weight,
                  .bias = bias,
                  .running_mean = mean,
                  .running_variance = variance,
                  .slope = prelu ? slope : Tensor(),
                  .residual = c.residual ? in : Tensor()},
                 {.momentum = 0.3f, .act = c.act});
  }
  backward(sum(mul(y, counts ? probe : Tensor::zeros(probe.shape()))));
  const auto of = [](const Tensor& t) { return t ? t.values() : std::vector<float>(); };
  return {.y = of(y),
          .dx = of(in.grad()),
          .dweight = c.affine && !c.frozen_weight ? of(weight.grad()) : std::vector<float>(),
          .dbias = c.affine ? of(bias.grad()) : std::vector<float>(),
          .dslope = prelu ? of(slope.grad()) : std::vector<float>(),
          .running_mean = of(mean),
          .running_variance = of(variance)};
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, const char* what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 2e-6f * (1 + std::abs(b[i]))) << what << " " << i << " on rank " << communicator().rank();
}
std::vector<float> slice(const std::vector<float>& v, int64_t first, int64_t last, int64_t n) {
  const auto each = std::ptrdiff_t(v.size()) / n;
  return {v.begin() + first * each, v.begin() + last * each};
}

// n samples over the ranks, which may leave some without: they have one that does not count.
void expect_as_one_process(const Case& c, int64_t n) {
  Communicator& all = communicator();
  const Tensor x = values({n, 3, 4, kChannels}, 1, 3), probe = values({n, 3, 4, kChannels}, 2);
  const Result whole = run(c, x, probe);  // without RankNorms
  const auto [first, last] = all.share(n);
  const bool counts = last > first;
  const int64_t end = counts ? last : first + 1, begin = std::min(first, n - 1);
  Result part;
  {
    const RankNorms norms(counts);
    part = run(c, rows_of(x, begin, std::min(end, n)), rows_of(probe, begin, std::min(end, n)), counts);
  }
  for (auto* sums : {&part.dweight, &part.dbias, &part.dslope}) all.sum(std::span(*sums));
  expect_near(part.dweight, whole.dweight, "dweight");
  expect_near(part.dbias, whole.dbias, "dbias");
  expect_near(part.dslope, whole.dslope, "dslope");
  expect_near(part.running_mean, whole.running_mean, "running mean");
  expect_near(part.running_variance, whole.running_variance, "running variance");
  if (counts) {
    expect_near(part.y, slice(whole.y, first, last, n), "y");
    expect_near(part.dx, slice(whole.dx, first, last, n), "dx");
  } else {
    for (const float v : part.dx) EXPECT_EQ(v, 0) << "what does not count has no gradient";
  }
  // All ranks hold the same bits.
  for (const float v : part.running_variance) {
    float first_has = v;
    all.broadcast(std::as_writable_bytes(std::span(&first_has, 1)), 0);
    EXPECT_EQ(first_has, v);
  }
}

TEST(RankNorms, AreThoseOfOneProcess) {
  const int64_t n = communicator().size();
  for (const int64_t samples : {n, 2 * n + 1}) {
    expect_as_one_process({.plain = true}, samples);
    expect_as_one_process({.plain = true, .affine = false}, samples);
    expect_as_one_process({.act = Activation::relu}, samples);
    expect_as_one_process({.act = Activation::silu, .residual = true}, samples);
    expect_as_one_process({.act = Activation::prelu}, samples);
    expect_as_one_process({.act = Activation::relu, .frozen_weight = true}, samples);
  }
}

TEST(RankNorms, ARankWithoutSamplesAddsNothing) {
  const int64_t n = communicator().size() - 1;
  expect_as_one_process({.act = Activation::relu}, n);
  expect_as_one_process({.plain = true}, n);
}

// One position a rank: no statistics of its own, but of all together.
TEST(RankNorms, TakeOneValueARank) {
  const Tensor x = values({1, kChannels}, communicator().rank());
  Tensor mean = Tensor::zeros({kChannels}), variance = Tensor::zeros({kChannels});
  EXPECT_ANY_THROW(batch_norm(x, {}, {}, mean, variance));
  const RankNorms norms;
  const Tensor y = batch_norm(x, {}, {}, mean, variance);
  std::vector<float> sum = y.values();
  communicator().sum(std::span(sum));
  for (const float v : sum) EXPECT_NEAR(v, 0, 1e-5f);
}

TEST(RankNorms, ADryRunAsksNobody) {
  if (communicator().root()) {
    const DryRun dry;
    const RankNorms norms;
    Tensor x = Tensor::empty({2, kChannels}), mean = Tensor::zeros({kChannels}), variance = Tensor::zeros({kChannels});
    x.require_grad();
    backward(sum(batch_norm(x, {}, {}, mean, variance)));
  }
}

// Evaluation and instance norms have nothing to do with other ranks.
TEST(RankNorms, AreOfTrainingBatchNormsAlone) {
  if (communicator().root()) {
    const RankNorms norms;
    Tensor mean = Tensor::zeros({kChannels}), variance = Tensor::full({kChannels}, 1);
    batch_norm(values({2, kChannels}, 1), {}, {}, mean, variance, {.training = false});
    norm_act(values({2, 4, kChannels}, 1), {}, {.per_sample = true});
  }
}

}  // namespace
}  // namespace kern
