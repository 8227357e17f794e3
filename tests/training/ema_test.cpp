#include "training/ema.h"

#include <gtest/gtest.h>

#include "engine/ops/mul.h"

namespace kern::training {
namespace {
using Floats = std::vector<float>;

struct Two {
  Tensor a = Tensor::from({2}, Floats{8, -8}), b = Tensor::from({1}, Floats{16});
  std::optional<Optimiser> optimiser;
  Two() {
    a.require_grad(), b.require_grad();
    optimiser.emplace(std::vector<ParameterGroup>{{.parameters = {{"a", a, true}, {"b", b, true}}}}, SgdOptions{}, 1);
  }
  void set(const Floats& va, const Floats& vb) {
    a.copy_from(Tensor::from({2}, va)), b.copy_from(Tensor::from({1}, vb));
  }
};

TEST(Ema, by_hand) {
  Two two;
  Ema ema(*two.optimiser, {.decay = 0.75, .warmup = false});
  two.set({0, 0}, {4});
  ema.update();
  two.set({2, 4}, {0});
  ema.update();
  {
    const Ema::Swapped swapped(ema);
    EXPECT_EQ(two.a.values(), (Floats{5, -3.5f}));  // 0.75 (0.75 8) + 0.25 2
    EXPECT_EQ(two.b.values(), (Floats{9.75f}));
  }
  EXPECT_EQ(two.a.values(), (Floats{2, 4}));
  EXPECT_EQ(two.b.values(), (Floats{0}));
}

TEST(Ema, warm_up_forgets_the_start) {
  Two two;
  Ema ema(*two.optimiser, {.decay = 0.3});
  EXPECT_DOUBLE_EQ(ema.next_decay(), 0.1);
  ema.update();
  EXPECT_DOUBLE_EQ(ema.next_decay(), 2.0 / 11);
  for (int i = 0; i < 3; ++i) ema.update();
  EXPECT_DOUBLE_EQ(ema.next_decay(), 0.3);
}

TEST(Ema, state_goes_round) {
  Two two, other;
  Ema ema(*two.optimiser, {.decay = 0.9}), copy(*other.optimiser, {.decay = 0.9});
  two.set({1, 2}, {3});
  ema.update();
  const auto path = std::filesystem::path(::testing::TempDir()) / "kern_ema.safetensors";
  save_tensors(path, ema.state("ema"), {});
  copy.load_state(load_tensors(path), "ema");
  EXPECT_EQ(copy.next_decay(), ema.next_decay());
  const Ema::Swapped a(ema), b(copy);
  EXPECT_EQ(two.a.values(), other.a.values());
  EXPECT_EQ(two.b.values(), other.b.values());
}

// Parameters that a pending backward pass has saved must not be swapped away unseen.
TEST(Ema, a_swap_between_forward_and_backward_is_caught) {
  Two two;
  Ema ema(*two.optimiser);
  const Tensor y = mul(two.a, two.a);
  const Ema::Swapped swapped(ema);
  EXPECT_THROW(backward(y, Tensor::full({2}, 1)), Error);
}

TEST(Ema, refuses_nonsense) {
  Two two;
  EXPECT_THROW(Ema(*two.optimiser, {.decay = 1}), Error);
  EXPECT_THROW(Ema(*two.optimiser, {.decay = -0.1}), Error);
}

}  // namespace
}  // namespace kern::training
