// Tensors that are made again for the backward pass instead of being kept.
#include <gtest/gtest.h>

#include "engine/autograd.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/norm_act.h"
#include "engine/ops/sum.h"

namespace kern {
namespace {

Tensor random(const Shape& shape, uint32_t which) {
  RandomSequence r(11, RandomStream::noise, which);
  Tensor t = Tensor::empty(shape);
  float* p = t.mutate();
  for (int64_t i = 0; i < t.size(); ++i) p[i] = r.normal();
  return t;
}

class Recompute {
 public:
  explicit Recompute(bool on) : before_(recompute_enabled()) { set_recompute(on); }
  ~Recompute() { set_recompute(before_); }

 private:
  bool before_;
};

struct Result {
  std::vector<std::vector<float>> gradients;
  size_t peak;
};
// Convolutions with fused norms, residuals, dropout, and two results side by side in one buffer.
Result step(bool recompute) {
  const Recompute scope(recompute);
  default_generator().set(3, 1);
  std::vector<Tensor> w;
  for (uint32_t i = 0; i < 4; ++i) w.push_back(random({8, 3, 3, i == 3 ? 16 : 8}, i).require_grad());
  Tensor x = random({2, 32, 32, 8}, 9), slope = Tensor::full({1}, 0.2f).require_grad();
  release_unused_memory();
  reset_peak_memory();
  {
    const int64_t widths[] = {8, 8};
    auto slices = Tensor::empty_channel_slices({2, 32, 32}, widths);
    Tensor a = norm_act(conv2d(x, w[0], {}, {.padding = 1}), {.slope = slope}, {.act = Activation::prelu}, slices[0]);
    Tensor b = norm_act(conv2d(a, w[1], {}, {.padding = 1}), {.residual = a},
                        {.per_sample = true, .act = Activation::relu, .dropout = 0.4f});
    for (int i = 0; i < 8; ++i)
      b = norm_act(conv2d(b, w[2], {}, {.padding = 1}), {.residual = b}, {.act = Activation::relu});
    b = norm_act(conv2d(b, w[2], {}, {.padding = 1}), {.residual = b}, {.act = Activation::relu}, slices[1]);
    Tensor both = concat({a, b});
    slices.clear();
    a = b = Tensor();
    const Tensor y = conv2d(both, w[3], {}, {.padding = 1});
    both = Tensor();
    backward(sum(y));
  }
  Result r{{}, memory_counters().peak};
  for (const Tensor& t : w) r.gradients.push_back(t.grad().values());
  r.gradients.push_back(slope.grad().values());
  return r;
}

TEST(MadeAgain, gives_the_same_bits_with_less_memory) {
  const Result again = step(true), kept = step(false);
  EXPECT_EQ(again.gradients, kept.gradients);
  EXPECT_LT(again.peak, kept.peak);
}

TEST(MadeAgain, what_was_written_to_is_refused_or_kept) {
  const Recompute scope(true);
  Tensor x = random({2, 6, 6, 4}, 1).require_grad(), w = random({4, 1, 1, 4}, 2).require_grad();
  {
    Tensor y = norm_act(x, {}, {.act = Activation::relu});
    const Tensor z = conv2d(y, w);
    y.fill(1);
    EXPECT_THROW(backward(sum(z)), Error);
  }
  Tensor y = norm_act(x, {}, {.act = Activation::relu});
  y.fill(1);  // before it is saved: what is saved is what was written
  backward(sum(conv2d(y, w)));
  for (const float g : w.grad().values()) EXPECT_EQ(g, 72);
}

}  // namespace
}  // namespace kern
