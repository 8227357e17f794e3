#include "kernels/loss/cross_entropy.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

TEST(CrossEntropyKernel, complete) {
  check_op<CrossEntropy>({{{.rows = 12, .k = 5}},
                          {{.rows = 12, .k = 5, .smoothing = 0.3f}},
                          {{.rows = 37, .k = 5}},
                          {{.rows = 9, .k = 1}},
                          {{.rows = 0, .k = 4}},
                          {{.rows = 5000, .k = 9}},
                          {{.rows = 40, .k = 7, .pitch = {.x = 11, .dx = 8}}},
                          {{.rows = 200, .k = 35}, {{"x", {990, 1010}}}},
                          {{.rows = 3, .k = 2500}},
                          {{.rows = 5000, .k = 5, .smoothing = 0.1f}},
                          {{.rows = 40, .k = 20, .smoothing = 1, .pitch = {.x = 22, .dx = 21}}}},
                         {.relative = 1e-4});
}

TEST(CrossEntropyKernel, impossible_targets) {
  for (int64_t k : {5, 70})
    check_impossible_targets<CrossEntropy>({.rows = 20000, .k = k}, {.rows = 150, .k = k, .smoothing = 0.1f});
}

// By hand: -log softmax of (0, log 3) is log 4 for class 0 and log(4/3) for class 1; weights 2 and 1, one row ignored.
TEST(CrossEntropyKernel, is_the_weighted_mean) {
  const CrossEntropySpec g{.rows = 4, .k = 2};
  const float l3 = std::log(3.0f);
  const Values<> x{0, l3, 0, l3, std::nanf(""), 7, 0, l3}, w{2, 1}, dy{1};
  const Values<int32_t> target{0, 1, -1, 1};
  const double expected = (2 * std::log(4.0) + 2 * std::log(4.0 / 3)) / 4;
  for_each_impl(CrossEntropy::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> loss(1), saved(9), dx(8);
    impl.forward(exec, g, {x.data(), target.data(), w.data(), loss.data(), saved.data()});
    EXPECT_NEAR(double(loss[0]), expected, 1e-6);
    impl.backward(exec, g, {dy.data(), x.data(), target.data(), w.data(), saved.data(), dx.data()});
    const float hand[] = {2 * (0.25f - 1) / 4, 2 * 0.75f / 4,  0.25f / 4, (0.75f - 1) / 4, 0, 0,
                          0.25f / 4,           (0.75f - 1) / 4};
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(dx[i], hand[i], 1e-6f) << i;
  });
}

TEST(CrossEntropyKernel, nothing_but_ignored_rows_gives_zero) {
  const CrossEntropySpec g{.rows = 2, .k = 2};
  const Values<> x{1, 2, 3, std::nanf("")}, dy{1};
  const Values<int32_t> target{-1, -1};
  for_each_impl(CrossEntropy::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> loss{5}, saved(5), dx(4, 9.0f);
    impl.forward(exec, g, {x.data(), target.data(), nullptr, loss.data(), saved.data()});
    EXPECT_EQ(loss[0], 0);
    impl.backward(exec, g, {dy.data(), x.data(), target.data(), nullptr, saved.data(), dx.data()});
    for (float v : dx) EXPECT_EQ(v, 0);
  });
}

TEST(CrossEntropyKernel, nan_and_large_logits) {
  const CrossEntropySpec g{.rows = 1, .k = 3};
  const Values<int32_t> target{2};
  const Values<> large{1e4f, -1e4f, 1e4f}, broken{0, std::nanf(""), 1};
  for_each_impl(CrossEntropy::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> loss(1), saved(3);
    impl.forward(exec, g, {large.data(), target.data(), nullptr, loss.data(), saved.data()});
    EXPECT_NEAR(loss[0], std::log(2.0f), 1e-6f);
    impl.forward(exec, g, {broken.data(), target.data(), nullptr, loss.data(), saved.data()});
    EXPECT_TRUE(std::isnan(loss[0]));
  });
}

// torch.nn.functional.cross_entropy(x, target, weight, ignore_index=-1, label_smoothing=0.2), and without weight
TEST(CrossEntropyKernel, goldens_of_label_smoothing) {
  const CrossEntropySpec g{.rows = 4, .k = 3, .smoothing = 0.2f};
  const Values<> x{1, -1, 0.5f, 0, 2, -1, 0.25f, 0.5f, -0.75f, 3, -2, 0}, weight{0.5f, 2, 1.5f}, dy{1};
  const Values<int32_t> target{0, 2, -1, 1};
  const float golden[2][12] = {{-0.09752323f, 0.003676304f, 0.09384692f, 0.01584284f, 0.2590427f, -0.2748855f, 0, 0, 0,
                                0.2932775f, -0.2867631f, -0.006514418f},
                               {-0.0126505f, -0.02038407f, 0.03303457f, 0.03353824f, 0.2760581f, -0.3095963f, 0, 0, 0,
                                0.4333663f, -0.4303572f, -0.003009076f}};
  for_each_impl(CrossEntropy::registry(), g, [&](const auto& impl, const Exec& exec) {
    for (bool weighted : {false, true}) {
      Values<> loss(1), saved(9), dx(12);
      const float* w = weighted ? weight.data() : nullptr;
      impl.forward(exec, g, {x.data(), target.data(), w, loss.data(), saved.data()});
      EXPECT_NEAR(loss[0], weighted ? 3.4929295f : 2.7377071f, 1e-6f);
      impl.backward(exec, g, {dy.data(), x.data(), target.data(), w, saved.data(), dx.data()});
      for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(dx[i], golden[weighted][i], 1e-6f) << i;
    }
  });
}

}  // namespace
}  // namespace kern::kernels
