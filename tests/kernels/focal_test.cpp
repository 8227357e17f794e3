#include "kernels/loss/focal.h"

#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

struct FocalCase {
  FocalSpec g;
  bool ignore = false, weighted = false;
  double range = 3;
};
const FocalCase kFocalCases[] = {{{.rows = 37, .k = 5}},
                                 {{.rows = 37, .k = 5, .gamma = 0}, true, true},
                                 {{.rows = 37, .k = 5, .gamma = 0.5f}, true, true},
                                 {{.rows = 40, .k = 1, .alpha = 0.25f}, true},
                                 {{.rows = 20000, .k = 1, .gamma = 1.5f}, true},
                                 {{.rows = 5000, .k = 9, .gamma = 3}, true, true, 8},
                                 {{.rows = 0, .k = 4}},
                                 {{.rows = 40, .k = 7, .pitch = {.x = 11, .dx = 8}}, true},
                                 {{.rows = 3000, .k = 1, .alpha = 0.75f, .pitch = {.x = 3, .dx = 2}}, false, false, 8},
                                 {{.rows = 3, .k = 1500}}};

TEST(FocalKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  for (const FocalCase& c : kFocalCases) {
    const FocalSpec& g = c.g;
    const auto x = Array<>::uniform(g.rows, g.k, g.pitch.x, 1, -c.range, c.range),
               weight = Array<>::uniform(1, g.k, 0, 2, 0.1, 2);
    const Values<int32_t> target = class_targets(g.rows, class_count(g.k), c.ignore);
    const auto xd = x.as<double>(), wd = weight.as<double>();
    Array<double> loss0(1, 1), saved0(1, 1), dx0(g.rows, g.k, g.pitch.dx);
    const double dyd = 1.5, *weights = c.weighted ? wd.data() : nullptr;
    focal_forward_reference(g, xd.data(), target.data(), weights, loss0.data(), saved0.data());
    focal_backward_reference(g, &dyd, xd.data(), target.data(), weights, saved0.data(), dx0.data());
    for_each_impl(focal_registry(), g, [&](const FocalImpl& impl, const Exec& exec) {
      const Values<> dy{1.5f};
      const float* w = c.weighted ? weight.data() : nullptr;
      Array<> first_loss(1, 1), first_dx(0, 0);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), saved(1, 1), dx(g.rows, g.k, g.pitch.dx);
        impl.forward(exec, g, x.data(), target.data(), w, loss.data(), saved.data());
        // The reference in float adds row to row; the fast implementations add in double.
        EXPECT_TRUE(close(loss, loss0, {.relative = std::string_view(impl.name) == "reference" ? 1e-3 : 2e-6}));
        EXPECT_TRUE(close(saved, saved0));
        impl.backward(exec, g, dy.data(), x.data(), target.data(), w, saved.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.absolute = 3e-6 / double(g.rows + 1), .relative = 1e-4}));
        if (threads == 1) first_loss = loss, first_dx = dx;
        EXPECT_TRUE(close(loss, first_loss));
        EXPECT_TRUE(close(dx, first_dx));
      }
    });
  }
  set_thread_count(before);
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
    for_each_impl(focal_registry(), golden.g, [&](const FocalImpl& impl, const Exec& exec) {
      const float *x = (golden.g.k == 1 ? one : several).data(), *w = golden.weighted ? weight.data() : nullptr;
      const int32_t* target = (golden.g.k == 1 ? one_targets : several_targets).data();
      Values<> loss(1), saved(1), dx(golden.dx.size());
      impl.forward(exec, golden.g, x, target, w, loss.data(), saved.data());
      EXPECT_NEAR(loss[0], golden.loss, 1e-6f);
      impl.backward(exec, golden.g, dy.data(), x, target, w, saved.data(), dx.data());
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
    for_each_impl(focal_registry(), g, [&](const FocalImpl& impl, const Exec& exec) {
      Values<> loss(1), saved(1), dx(6);
      const float* x = (k == 1 ? far : two).data();
      auto run = [&](const Values<int32_t>& target) {
        impl.forward(exec, g, x, target.data(), nullptr, loss.data(), saved.data());
        impl.backward(exec, g, dy.data(), x, target.data(), nullptr, saved.data(), dx.data());
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
      impl.forward(exec, g, x, all.data(), nullptr, loss.data(), saved.data());
      EXPECT_TRUE(std::isnan(loss[0]));
    });
  }
}

TEST(FocalKernel, the_first_impossible_target_is_named_whatever_the_threads) {
  const int before = thread_count();
  for (int64_t k : {1, 5}) {
    const FocalSpec g{.rows = 20000, .k = k};
    const auto x = Array<>::integers(g.rows, k, 0, 1);
    for_each_impl(focal_registry(), g, [&](const FocalImpl& impl, const Exec& exec) {
      if (impl.device != Device::cpu) return;
      for (int threads : {1, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), saved(1, 1);
        expect_first_bad_target("focal", int(class_count(k)), [&](const int32_t* target) {
          impl.forward(exec, g, x.data(), target, nullptr, loss.data(), saved.data());
        });
      }
    });
  }
  set_thread_count(before);
}

TEST(FocalKernel, a_gpu_leaves_out_rows_with_impossible_targets) {
  for (int64_t k : {1, 5, 70}) {
    const FocalSpec g{.rows = 150, .k = k};
    const auto x = Array<>::uniform(g.rows, g.k, 0, 1);
    const auto targets = impossible_and_ignored(g.rows, class_count(k));
    const auto &wrong = targets.first, &ignored = targets.second;
    const Values<> dy{1};
    for_each_impl(focal_registry(), g, [&](const FocalImpl& impl, const Exec& exec) {
      if (impl.device == Device::cpu) return;
      auto run = [&](const Values<int32_t>& target) {
        Array<> loss(1, 1), saved(1, 1), dx(g.rows, g.k);
        impl.forward(exec, g, x.data(), target.data(), nullptr, loss.data(), saved.data());
        impl.backward(exec, g, dy.data(), x.data(), target.data(), nullptr, saved.data(), dx.data());
        wait_for_device();
        return std::pair(loss, dx);
      };
      const auto a = run(wrong), b = run(ignored);
      EXPECT_TRUE(close(a.first, b.first) && close(a.second, b.second));
    });
  }
}

TEST(FocalReference, is_its_own_derivative) {
  for (int64_t k : {1, 4})
    for (float gamma : {2.0f, 0.5f, 0.0f}) {
      const FocalSpec g{.rows = 12, .k = k, .gamma = gamma, .alpha = k == 1 ? 0.25f : -1};
      auto x = Array<Complex>::uniform(12, k, 0, 1, -2, 2);
      const auto xd = Array<double>::uniform(12, k, 0, 1, -2, 2), wd = Array<double>::uniform(1, k, 0, 2, 0.1, 2);
      const auto weight = wd.as<Complex>();
      const auto target = class_targets(12, class_count(k), true);
      Array<double> loss(1, 1), saved(1, 1), dx(12, k);
      const double dy = 1.5;
      focal_forward_reference(g, xd.data(), target.data(), wd.data(), loss.data(), saved.data());
      focal_backward_reference(g, &dy, xd.data(), target.data(), wd.data(), saved.data(), dx.data());
      const auto exact = complex_step(x, [&] {
        Complex l, s;
        focal_forward_reference(g, x.data(), target.data(), weight.data(), &l, &s);
        return dy * l;
      });
      EXPECT_TRUE(close(dx, exact, {.absolute = 1e-14, .relative = 1e-12}));
    }
}

}  // namespace
}  // namespace kern::kernels
