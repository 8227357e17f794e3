#include "kernels/loss/tversky.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

TEST(TverskyKernel, complete) {
  check_op<Tversky>({{{.rows = 37, .k = 5}},
                     {{.groups = 2, .rows = 6, .k = 4, .alpha = 0.3f, .beta = 0.6f}},
                     {{.groups = 2, .rows = 6, .k = 1, .alpha = 0.3f, .beta = 0.6f}},
                     {{.groups = 3, .rows = 37, .k = 5, .alpha = 0.3f, .beta = 0.7f, .smooth = 0.25f}},
                     {{.rows = 40, .k = 1}},
                     {{.groups = 2, .rows = 20000, .k = 1, .alpha = 0.7f, .beta = 0.1f}},
                     {{.groups = 2, .rows = 5000, .k = 9, .smooth = 0}},
                     {{.rows = 0, .k = 4}},
                     {{.groups = 0, .rows = 5, .k = 4}},
                     {{.rows = 40, .k = 7, .pitch = {.x = 11, .dx = 8}}},
                     {{.rows = 3000, .k = 1, .pitch = {.x = 3, .dx = 2}}},
                     {{.rows = 3, .k = 1500}}},
                    {.of_largest = 1e-5});
}

TEST(TverskyKernel, impossible_targets) {
  // The reference goes through the classes group by group: here its first group holds the first wrong target too.
  for (int64_t k : {1, 5})
    check_impossible_targets<Tversky>({.groups = 2, .rows = 10000, .k = k}, {.groups = 2, .rows = 150, .k = k});
  check_impossible_targets<Tversky>({.groups = 2, .rows = 10000, .k = 5}, {.groups = 2, .rows = 150, .k = 70});
}

struct TverskyGolden {
  TverskySpec g;
  Values<> x;
  Values<int32_t> target;
  float loss;
  std::vector<float> dx;
};
// By torch's autograd, from softmax or sigmoid, sums over rows, and the quotient.
std::vector<TverskyGolden> goldens() {
  return {{{.rows = 4, .k = 3, .alpha = 0.3f, .beta = 0.7f, .smooth = 0.5f},
           {1, -1, 0.5f, 0, 2, -1, 0.25f, 0.5f, -0.75f, 3, -2, 0},
           {0, 2, -1, 1},
           0.53830647f,
           {-0.04617143f, 0.007951743f, 0.03821969f, 0.002624158f, 0.007223947f, -0.009848106f, 0, 0, 0, 0.001760358f,
            -0.001518049f, -0.0002423105f}},
          {{.rows = 4, .k = 1, .alpha = 0.3f, .beta = 0.7f, .smooth = 0.5f},
           {1, -2, 0.5f, 3},
           {1, 0, -1, 0},
           0.29284084f,
           {-0.08898014f, 0.01279498f, 0, 0.005505426f}}};
}

TEST(TverskyKernel, goldens) {
  for (const TverskyGolden& golden : goldens())
    for_each_impl(Tversky::registry(), golden.g, [&](const auto& impl, const Exec& exec) {
      const Values<> dy{1};
      Values<> loss(1), saved(size_t(golden.g.sums().size())), dx(golden.x.size());
      impl.forward(exec, golden.g, {golden.x.data(), golden.target.data(), loss.data(), saved.data()});
      EXPECT_NEAR(loss[0], golden.loss, 1e-6f);
      impl.backward(exec, golden.g, {dy.data(), golden.x.data(), golden.target.data(), saved.data(), dx.data()});
      for (size_t i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx[i], golden.dx[i], 1e-6f) << i;
    });
}

TEST(TverskyKernel, nothing_to_find_is_no_loss_and_ignored_rows_may_be_broken) {
  const float nan = std::nanf("");
  const Values<> x{nan, nan}, dy{1};
  const Values<int32_t> none{-1, -1}, some{-1, 1};
  for (int64_t k : {1, 2}) {
    const TverskySpec g{.rows = 2 / k, .k = k, .smooth = 0};
    for_each_impl(Tversky::registry(), g, [&](const auto& impl, const Exec& exec) {
      Values<> loss(1), saved(4), dx(2);
      impl.forward(exec, g, {x.data(), none.data(), loss.data(), saved.data()});
      EXPECT_EQ(loss[0], 0);
      impl.backward(exec, g, {dy.data(), x.data(), none.data(), saved.data(), dx.data()});
      for (float v : dx) EXPECT_EQ(v, 0);
      impl.forward(exec, g, {x.data(), some.data() + (k == 2), loss.data(), saved.data()});
      EXPECT_TRUE(std::isnan(loss[0]));
    });
  }
}

}  // namespace
}  // namespace kern::kernels
