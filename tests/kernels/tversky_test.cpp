#include "kernels/loss/tversky.h"

#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(TverskySpec{.groups = 3, .rows = 7, .k = 5}.saved_size() == 30);

struct TverskyCase {
  TverskySpec g;
  bool ignore = false;
};
const TverskyCase kTverskyCases[] = {
    {{.rows = 37, .k = 5}},
    {{.groups = 3, .rows = 37, .k = 5, .alpha = 0.3f, .beta = 0.7f, .smooth = 0.25f}, true},
    {{.rows = 40, .k = 1}, true},
    {{.groups = 2, .rows = 20000, .k = 1, .alpha = 0.7f, .beta = 0.1f}, true},
    {{.groups = 2, .rows = 5000, .k = 9, .smooth = 0}, true},
    {{.rows = 0, .k = 4}},
    {{.groups = 0, .rows = 5, .k = 4}},
    {{.rows = 40, .k = 7, .pitch = {.x = 11, .dx = 8}}, true},
    {{.rows = 3000, .k = 1, .pitch = {.x = 3, .dx = 2}}},
    {{.rows = 3, .k = 1500}}};

TEST(TverskyKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  for (const auto& [spec, ignore] : kTverskyCases) {
    const TverskySpec& g = spec;
    const int64_t rows = g.groups * g.rows;
    const auto x = Array<>::uniform(rows, g.k, g.pitch.x, 1, -3, 3);
    const Values<int32_t> target = class_targets(rows, class_count(g.k), ignore);
    const auto xd = x.as<double>();
    Array<double> loss0(1, 1), saved0(g.saved_size(), 1), dx0(rows, g.k, g.pitch.dx);
    const double dyd = 1.5;
    tversky_forward_reference(g, xd.data(), target.data(), loss0.data(), saved0.data());
    tversky_backward_reference(g, &dyd, xd.data(), target.data(), saved0.data(), dx0.data());
    double largest = 0;
    dx0.for_each([&](double& v) { largest = std::max(largest, std::abs(v)); });
    for_each_impl(tversky_registry(), g, [&](const TverskyImpl& impl, const Exec& exec) {
      const Values<> dy{1.5f};
      Array<> first_loss(1, 1), first_dx(0, 0);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), saved(g.saved_size(), 1), dx(rows, g.k, g.pitch.dx);
        impl.forward(exec, g, x.data(), target.data(), loss.data(), saved.data());
        // The reference in float adds row to row; the fast implementations add in double.
        const bool fast = std::string_view(impl.name) != "reference";
        EXPECT_TRUE(close(loss, loss0, {.absolute = fast ? 1e-6 : 1e-3}));
        EXPECT_TRUE(close(saved, saved0, {.relative = fast ? 1e-6 : 1e-3}));
        impl.backward(exec, g, dy.data(), x.data(), target.data(), saved.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.absolute = (fast ? 1e-5 : 1e-3) * largest}));
        if (threads == 1) first_loss = loss, first_dx = dx;
        EXPECT_TRUE(close(loss, first_loss));
        EXPECT_TRUE(close(dx, first_dx));
      }
    });
  }
  set_thread_count(before);
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
    for_each_impl(tversky_registry(), golden.g, [&](const TverskyImpl& impl, const Exec& exec) {
      const Values<> dy{1};
      Values<> loss(1), saved(size_t(golden.g.saved_size())), dx(golden.x.size());
      impl.forward(exec, golden.g, golden.x.data(), golden.target.data(), loss.data(), saved.data());
      EXPECT_NEAR(loss[0], golden.loss, 1e-6f);
      impl.backward(exec, golden.g, dy.data(), golden.x.data(), golden.target.data(), saved.data(), dx.data());
      for (size_t i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx[i], golden.dx[i], 1e-6f) << i;
    });
}

TEST(TverskyKernel, nothing_to_find_is_no_loss_and_ignored_rows_may_be_broken) {
  const float nan = std::nanf("");
  const Values<> x{nan, nan}, dy{1};
  const Values<int32_t> none{-1, -1}, some{-1, 1};
  for (int64_t k : {1, 2}) {
    const TverskySpec g{.rows = 2 / k, .k = k, .smooth = 0};
    for_each_impl(tversky_registry(), g, [&](const TverskyImpl& impl, const Exec& exec) {
      Values<> loss(1), saved(4), dx(2);
      impl.forward(exec, g, x.data(), none.data(), loss.data(), saved.data());
      EXPECT_EQ(loss[0], 0);
      impl.backward(exec, g, dy.data(), x.data(), none.data(), saved.data(), dx.data());
      for (float v : dx) EXPECT_EQ(v, 0);
      impl.forward(exec, g, x.data(), some.data() + (k == 2), loss.data(), saved.data());
      EXPECT_TRUE(std::isnan(loss[0]));
    });
  }
}

TEST(TverskyKernel, the_first_impossible_target_is_named_whatever_the_threads) {
  const int before = thread_count();
  for (int64_t k : {1, 5}) {
    const TverskySpec g{.groups = 2, .rows = 10000, .k = k};
    const auto x = Array<>::integers(20000, k, 0, 1);
    for_each_impl(tversky_registry(), g, [&](const TverskyImpl& impl, const Exec& exec) {
      if (impl.device != Device::cpu) return;
      for (int threads : {1, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), saved(g.saved_size(), 1);
        // The reference goes through the classes group by group: here its first group holds the first wrong target too.
        expect_first_bad_target("tversky", int(class_count(k)), [&](const int32_t* target) {
          impl.forward(exec, g, x.data(), target, loss.data(), saved.data());
        });
      }
    });
  }
  set_thread_count(before);
}

TEST(TverskyKernel, a_gpu_leaves_out_rows_with_impossible_targets) {
  for (int64_t k : {1, 5, 70}) {
    const TverskySpec g{.groups = 2, .rows = 150, .k = k};
    const auto x = Array<>::uniform(300, g.k, 0, 1);
    const auto targets = impossible_and_ignored(300, class_count(k));
    const auto &wrong = targets.first, &ignored = targets.second;
    const Values<> dy{1};
    for_each_impl(tversky_registry(), g, [&](const TverskyImpl& impl, const Exec& exec) {
      if (impl.device == Device::cpu) return;
      auto run = [&](const Values<int32_t>& target) {
        Array<> loss(1, 1), saved(g.saved_size(), 1), dx(300, g.k);
        impl.forward(exec, g, x.data(), target.data(), loss.data(), saved.data());
        impl.backward(exec, g, dy.data(), x.data(), target.data(), saved.data(), dx.data());
        wait_for_device();
        return std::pair(loss, dx);
      };
      const auto a = run(wrong), b = run(ignored);
      EXPECT_TRUE(close(a.first, b.first) && close(a.second, b.second));
    });
  }
}

TEST(TverskyReference, is_its_own_derivative) {
  for (int64_t k : {1, 4}) {
    const TverskySpec g{.groups = 2, .rows = 6, .k = k, .alpha = 0.3f, .beta = 0.6f};
    auto x = Array<Complex>::uniform(12, k, 0, 1, -2, 2);
    const auto xd = Array<double>::uniform(12, k, 0, 1, -2, 2);
    const auto target = class_targets(12, class_count(k), true);
    Array<double> loss(1, 1), saved(g.saved_size(), 1), dx(12, k);
    const double dy = 1.5;
    tversky_forward_reference(g, xd.data(), target.data(), loss.data(), saved.data());
    tversky_backward_reference(g, &dy, xd.data(), target.data(), saved.data(), dx.data());
    const auto exact = complex_step(x, [&] {
      Complex l;
      Array<Complex> s(g.saved_size(), 1);
      tversky_forward_reference(g, x.data(), target.data(), &l, s.data());
      return dy * l;
    });
    EXPECT_TRUE(close(dx, exact, {.absolute = 1e-14, .relative = 1e-12}));
  }
}

}  // namespace
}  // namespace kern::kernels
