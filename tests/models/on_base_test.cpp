// A network that corrects another one's logits begins as that one, and learns.
#include "models/on_base.h"

#include <gtest/gtest.h>

#include "engine/ops/cross_entropy.h"
#include "engine/random.h"
#include "models/table1d.h"

namespace kern::models {
namespace {

constexpr int kIn = 2, kOut = 3;
constexpr int64_t kLength = 32;

// Curves and, behind them, logits.
Tensor some_input() {
  RandomSequence random(3, RandomStream::noise);
  std::vector<float> x(size_t(2 * kLength * (kIn + kOut)));
  for (float& v : x) v = random.normal();
  return Tensor::from({2, kLength, kIn + kOut}, x);
}

AnyModule small(const std::string& name) {
  Signal1dConfig c{.in = kIn, .out = kOut, .channels = {4, 4}, .radius = 2, .on_base = true};
  return make_signal1d_model(name, c);
}

TEST(OnBase, every_model_begins_as_what_it_stands_on) {
  set_seed(1);
  const Tensor x = some_input();
  for (const Signal1dModel& m : signal1d_models()) {
    const AnyModule net = small(m.name);
    net.set_training(false);
    const Tensor y = net(x);
    EXPECT_EQ(y.values(), slice(x, -1, kIn, kIn + kOut).values()) << m.name;
    Signal1dConfig alone{.in = kIn, .out = kOut, .channels = {4, 4}, .radius = 2};
    EXPECT_EQ(net.parameter_count(), make_signal1d_model(m.name, alone).parameter_count() + kOut * (kOut + 1));
  }
}

TEST(OnBase, first_the_correction_moves_and_then_the_network) {
  set_seed(2);
  const AnyModule net = small("mlp");
  const Tensor x = some_input();
  const std::vector<int32_t> one(size_t(2 * kLength), 1);
  const Tensor labels = Tensor::from({2, kLength}, std::span<const int32_t>(one));
  const auto largest_slope = [&](const std::string& part) {
    double largest = 0;
    for (const NamedTensor& t : net.parameters())
      if (lies_below(t.name, part))
        for (const float v : t.tensor.grad().values()) largest = std::max(largest, double(std::abs(v)));
    return largest;
  };
  backward(cross_entropy(net(x), labels));
  EXPECT_GT(largest_slope("correction"), 0);
  EXPECT_EQ(largest_slope("network"), 0);
  for (NamedTensor t : net.parameters()) {
    if (t.name == "correction.weight")
      t.tensor.copy_from(Tensor::from({3, 3}, std::vector<float>{1, 0, 0, 0, 2, 0, 0, 0, 3}));
    t.tensor.clear_grad();
  }
  backward(cross_entropy(net(x), labels));
  EXPECT_GT(largest_slope("network"), 0);
}

TEST(OnBase, wants_the_logits_behind_the_curves) {
  const AnyModule net = small("mlp");
  EXPECT_THROW(net(Tensor::zeros({1, kLength, kIn})), Error);
  EXPECT_THROW(net(Tensor::zeros({1, kLength, kOut})), Error);
}

}  // namespace
}  // namespace kern::models
