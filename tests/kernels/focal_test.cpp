#include "kernels/loss/focal.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

TEST(FocalKernel, complete) {
  const std::map<std::string, std::pair<double, double>> wide{{"x", {-8, 8}}};
  check_op<Focal>({{{.rows = 12, .k = 4}},
                   {{.rows = 12, .k = 4, .gamma = 0.5f}},
                   {{.rows = 12, .k = 1, .gamma = 0, .alpha = 0.25f}},
                   {{.rows = 37, .k = 5, .gamma = 0}},
                   {{.rows = 40, .k = 1, .alpha = 0.25f}},
                   {{.rows = 20000, .k = 1, .gamma = 1.5f}},
                   {{.rows = 5000, .k = 9, .gamma = 3}, wide},
                   {{.rows = 0, .k = 4}},
                   {{.rows = 40, .k = 7, .pitch = {.x = 11, .dx = 8}}},
                   {{.rows = 3000, .k = 1, .alpha = 0.75f, .pitch = {.x = 3, .dx = 2}}, wide},
                   {{.rows = 3, .k = 1500}}},
                  {.relative = 1e-4});
}

TEST(FocalKernel, impossible_targets) {
  for (int64_t k : {1, 5}) check_impossible_targets<Focal>({.rows = 20000, .k = k}, {.rows = 150, .k = k});
  check_impossible_targets<Focal>({.rows = 20000, .k = 5}, {.rows = 150, .k = 70});
}

struct FocalGolden {
  FocalSpec g;
  bool weighted;
  float loss;
  std::vector<float> dx;
};
// By torch's autograd, from log_softmax or binary_cross_entropy_with_logits.
const FocalGolden kGoldens[] = {
    {{.rows = 4, .k = 3},
     true,
     4.7984753f,
     {-0.03213992f, 0.005863142f, 0.02627678f, 0.06696904f, 0.494838f, -0.561807f, 0, 0, 0, 0.6634015f, -0.6964303f,
      0.03302881f}},
    {{.rows = 4, .k = 3, .gamma = 0.5f},
     false,
     2.8345203f,
     {-0.1273035f, 0.02322341f, 0.1040801f, 0.03984638f, 0.2944272f, -0.3342735f, 0, 0, 0, 0.3195939f, -0.3355055f,
      0.01591164f}},
    {{.rows = 4, .k = 1, .alpha = 0.25f}, false, 0.69390917f, {-0.00438176f, 0.001217735f, 0, 0.2816875f}},
    {{.rows = 4, .k = 1, .gamma = 1.5f, .alpha = 0.25f},
     false,
     0.71352345f,
     {-0.007118414f, 0.002951893f, 0, 0.2718121f}}};

TEST(FocalKernel, goldens) {
  const Values<> several{1, -1, 0.5f, 0, 2, -1, 0.25f, 0.5f, -0.75f, 3, -2, 0}, one{1, -2, 0.5f, 3},
      weight{0.5f, 2, 1.5f}, dy{1};
  const Values<int32_t> several_targets{0, 2, -1, 1}, one_targets{1, 0, -1, 0};
  for (const FocalGolden& golden : kGoldens)
    for_each_impl(Focal::registry(), golden.g, [&](const auto& impl, const Exec& exec) {
      const float *x = (golden.g.k == 1 ? one : several).data(), *w = golden.weighted ? weight.data() : nullptr;
      const int32_t* target = (golden.g.k == 1 ? one_targets : several_targets).data();
      Values<> loss(1), saved(1), dx(golden.dx.size());
      impl.forward(exec, golden.g, {x, target, w, loss.data(), saved.data()});
      EXPECT_NEAR(loss[0], golden.loss, 1e-6f);
      impl.backward(exec, golden.g, {dy.data(), x, target, w, saved.data(), dx.data()});
      for (size_t i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx[i], golden.dx[i], 1e-6f) << i;
    });
}

TEST(FocalKernel, sure_rows_overflow_nowhere_ignored_rows_may_be_broken_and_nan_shows) {
  const float nan = std::nanf("");
  const Values<> dy{1};
  for (int64_t k : {1, 2}) {
    const FocalSpec g{.rows = 3, .k = k, .gamma = 0.5f};
    const Values<> far{1e4f, -1e4f, nan}, two{-1e4f, 1e4f, 1e4f, -1e4f, nan, nan};
    const Values<int32_t> right{1, 0, -1}, wrong{0, 1, -1}, none{-1, -1, -1}, all{1, 0, 0};
    for_each_impl(Focal::registry(), g, [&](const auto& impl, const Exec& exec) {
      Values<> loss(1), saved(1), dx(6);
      const float* x = (k == 1 ? far : two).data();
      auto run = [&](const Values<int32_t>& target) {
        impl.forward(exec, g, {x, target.data(), nullptr, loss.data(), saved.data()});
        impl.backward(exec, g, {dy.data(), x, target.data(), nullptr, saved.data(), dx.data()});
      };
      run(right);
      EXPECT_EQ(loss[0], 0);
      for (size_t i = 0; i < size_t(3 * k); ++i) EXPECT_EQ(dx[i], 0);
      run(wrong);
      EXPECT_EQ(loss[0], k == 1 ? 1e4f : 2e4f);
      for (size_t i = 0; i < size_t(2 * k); ++i) EXPECT_EQ(std::abs(dx[i]), 0.5f);
      run(none);
      EXPECT_EQ(loss[0], 0);
      for (size_t i = 0; i < size_t(3 * k); ++i) EXPECT_EQ(dx[i], 0);
      impl.forward(exec, g, {x, all.data(), nullptr, loss.data(), saved.data()});
      EXPECT_TRUE(std::isnan(loss[0]));
    });
  }
}

}  // namespace
}  // namespace kern::kernels
