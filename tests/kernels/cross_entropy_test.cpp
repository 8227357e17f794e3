#include "kernels/loss/cross_entropy.h"

#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(CrossEntropySpec{.rows = 7, .k = 5}.saved_size() == 15);

struct CrossEntropyCase {
  CrossEntropySpec g;
  bool ignore = false, weighted = false;
  double low = -3, high = 3;
};
const CrossEntropyCase kCrossEntropyCases[] = {
    {{.rows = 37, .k = 5}},
    {{.rows = 37, .k = 5}, true, true},
    {{.rows = 9, .k = 1}, true},
    {{.rows = 0, .k = 4}, false, true},
    {{.rows = 5000, .k = 9}, true, true},
    {{.rows = 40, .k = 7, .pitch = {.x = 11, .dx = 8}}, true, true},
    {{.rows = 200, .k = 35}, false, false, 990, 1010},
    {{.rows = 3, .k = 2500}},
    {{.rows = 5000, .k = 5, .smoothing = 0.1f}, true, true},
    {{.rows = 40, .k = 20, .smoothing = 1, .pitch = {.x = 22, .dx = 21}}, true}};

TEST(CrossEntropyKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  for (const CrossEntropyCase& c : kCrossEntropyCases) {
    const CrossEntropySpec& g = c.g;
    const auto x = Array<>::uniform(g.rows, g.k, g.pitch.x, 1, c.low, c.high),
               weight = Array<>::uniform(1, g.k, 0, 2, 0.1, 2);
    const Values<int32_t> target = class_targets(g.rows, g.k, c.ignore);
    const auto xd = x.as<double>(), wd = weight.as<double>();
    Array<double> loss0(1, 1), saved0(g.saved_size(), 1), dx0(g.rows, g.k, g.pitch.dx);
    const double dyd = 1.5;
    cross_entropy_forward_reference(g, xd.data(), target.data(), c.weighted ? wd.data() : nullptr, loss0.data(),
                                    saved0.data());
    cross_entropy_backward_reference(g, &dyd, xd.data(), target.data(), c.weighted ? wd.data() : nullptr, saved0.data(),
                                     dx0.data());
    for_each_impl(cross_entropy_registry(), g, [&](const CrossEntropyImpl& impl, const Exec& exec) {
      const Values<> dy{1.5f};
      const float* w = c.weighted ? weight.data() : nullptr;
      Array<> first_loss(1, 1), first_dx(g.rows, g.k, g.pitch.dx);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), saved(g.saved_size(), 1), dx(g.rows, g.k, g.pitch.dx);
        impl.forward(exec, g, x.data(), target.data(), w, loss.data(), saved.data());
        // The reference in float adds row to row; the fast implementation adds in double.
        EXPECT_TRUE(close(loss, loss0,
                          {.absolute = 1e-7, .relative = std::string_view(impl.name) == "reference" ? 1e-4 : 1e-6}));
        EXPECT_TRUE(saved.guards_intact());
        impl.backward(exec, g, dy.data(), x.data(), target.data(), w, saved.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.absolute = 1e-6 / double(g.rows + 1), .relative = 1e-4}));
        if (threads == 1) first_loss = loss, first_dx = dx;
        EXPECT_TRUE(close(loss, first_loss));
        EXPECT_TRUE(close(dx, first_dx));
      }
    });
  }
  set_thread_count(before);
}

// By hand: -log softmax of (0, log 3) is log 4 for class 0 and log(4/3) for class 1; weights 2 and 1, one row ignored.
TEST(CrossEntropyKernel, is_the_weighted_mean) {
  const CrossEntropySpec g{.rows = 4, .k = 2};
  const float l3 = std::log(3.0f);
  const Values<> x{0, l3, 0, l3, std::nanf(""), 7, 0, l3}, w{2, 1}, dy{1};
  const Values<int32_t> target{0, 1, -1, 1};
  const double expected = (2 * std::log(4.0) + 2 * std::log(4.0 / 3)) / 4;
  for_each_impl(cross_entropy_registry(), g, [&](const CrossEntropyImpl& impl, const Exec& exec) {
    Values<> loss(1), saved(9), dx(8);
    impl.forward(exec, g, x.data(), target.data(), w.data(), loss.data(), saved.data());
    EXPECT_NEAR(double(loss[0]), expected, 1e-6);
    impl.backward(exec, g, dy.data(), x.data(), target.data(), w.data(), saved.data(), dx.data());
    const float hand[] = {2 * (0.25f - 1) / 4, 2 * 0.75f / 4,  0.25f / 4, (0.75f - 1) / 4, 0, 0,
                          0.25f / 4,           (0.75f - 1) / 4};
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(dx[i], hand[i], 1e-6f) << i;
  });
}

TEST(CrossEntropyKernel, nothing_but_ignored_rows_gives_zero) {
  const CrossEntropySpec g{.rows = 2, .k = 2};
  const Values<> x{1, 2, 3, std::nanf("")}, dy{1};
  const Values<int32_t> target{-1, -1};
  for_each_impl(cross_entropy_registry(), g, [&](const CrossEntropyImpl& impl, const Exec& exec) {
    Values<> loss{5}, saved(5), dx(4, 9.0f);
    impl.forward(exec, g, x.data(), target.data(), nullptr, loss.data(), saved.data());
    EXPECT_EQ(loss[0], 0);
    impl.backward(exec, g, dy.data(), x.data(), target.data(), nullptr, saved.data(), dx.data());
    for (float v : dx) EXPECT_EQ(v, 0);
  });
}

TEST(CrossEntropyKernel, nan_and_large_logits) {
  const CrossEntropySpec g{.rows = 1, .k = 3};
  const Values<int32_t> target{2};
  const Values<> large{1e4f, -1e4f, 1e4f}, broken{0, std::nanf(""), 1};
  for_each_impl(cross_entropy_registry(), g, [&](const CrossEntropyImpl& impl, const Exec& exec) {
    Values<> loss(1), saved(3);
    impl.forward(exec, g, large.data(), target.data(), nullptr, loss.data(), saved.data());
    EXPECT_NEAR(loss[0], std::log(2.0f), 1e-6f);
    impl.forward(exec, g, broken.data(), target.data(), nullptr, loss.data(), saved.data());
    EXPECT_TRUE(std::isnan(loss[0]));
  });
}

TEST(CrossEntropyKernel, the_first_impossible_target_is_named_whatever_the_threads) {
  const int before = thread_count();
  const CrossEntropySpec g{.rows = 20000, .k = 5};
  const auto x = Array<>::integers(g.rows, g.k, 0, 1);
  for_each_impl(cross_entropy_registry(), g, [&](const CrossEntropyImpl& impl, const Exec& exec) {
    if (impl.device != Device::cpu) return;
    for (int threads : {1, 3}) {
      set_thread_count(threads);
      Array<> loss(1, 1), saved(g.saved_size(), 1);
      expect_first_bad_target("cross_entropy", 5, [&](const int32_t* target) {
        impl.forward(exec, g, x.data(), target, nullptr, loss.data(), saved.data());
      });
    }
  });
  set_thread_count(before);
}

TEST(CrossEntropyKernel, a_gpu_leaves_out_rows_with_impossible_targets) {
  for (int64_t k : {5, 70}) {
    const CrossEntropySpec g{.rows = 150, .k = k, .smoothing = 0.1f};
    const auto x = Array<>::uniform(g.rows, g.k, 0, 1);
    const auto targets = impossible_and_ignored(g.rows, k);
    const auto &wrong = targets.first, &ignored = targets.second;
    const Values<> dy{1};
    for_each_impl(cross_entropy_registry(), g, [&](const CrossEntropyImpl& impl, const Exec& exec) {
      if (impl.device == Device::cpu) return;
      auto run = [&](const Values<int32_t>& target) {
        Array<> loss(1, 1), saved(g.saved_size(), 1), dx(g.rows, g.k);
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

// torch.nn.functional.cross_entropy(x, target, weight, ignore_index=-1, label_smoothing=0.2), and without weight
TEST(CrossEntropyKernel, goldens_of_label_smoothing) {
  const CrossEntropySpec g{.rows = 4, .k = 3, .smoothing = 0.2f};
  const Values<> x{1, -1, 0.5f, 0, 2, -1, 0.25f, 0.5f, -0.75f, 3, -2, 0}, weight{0.5f, 2, 1.5f}, dy{1};
  const Values<int32_t> target{0, 2, -1, 1};
  const float golden[2][12] = {{-0.09752323f, 0.003676304f, 0.09384692f, 0.01584284f, 0.2590427f, -0.2748855f, 0, 0, 0,
                                0.2932775f, -0.2867631f, -0.006514418f},
                               {-0.0126505f, -0.02038407f, 0.03303457f, 0.03353824f, 0.2760581f, -0.3095963f, 0, 0, 0,
                                0.4333663f, -0.4303572f, -0.003009076f}};
  for_each_impl(cross_entropy_registry(), g, [&](const CrossEntropyImpl& impl, const Exec& exec) {
    for (bool weighted : {false, true}) {
      Values<> loss(1), saved(9), dx(12);
      const float* w = weighted ? weight.data() : nullptr;
      impl.forward(exec, g, x.data(), target.data(), w, loss.data(), saved.data());
      EXPECT_NEAR(loss[0], weighted ? 3.4929295f : 2.7377071f, 1e-6f);
      impl.backward(exec, g, dy.data(), x.data(), target.data(), w, saved.data(), dx.data());
      for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(dx[i], golden[weighted][i], 1e-6f) << i;
    }
  });
}

TEST(CrossEntropyReference, is_its_own_derivative) {
  for (float smoothing : {0.0f, 0.3f}) {
    const CrossEntropySpec g{.rows = 12, .k = 5, .smoothing = smoothing};
    auto x = Array<Complex>::uniform(g.rows, g.k, 0, 1, -2, 2);
    const auto xd = Array<double>::uniform(g.rows, g.k, 0, 1, -2, 2), wd = Array<double>::uniform(1, g.k, 0, 2, 0.1, 2);
    const auto weight = wd.as<Complex>();
    const auto target = class_targets(g.rows, g.k, true);
    Array<double> loss(1, 1), saved(g.saved_size(), 1), dx(g.rows, g.k);
    const double dy = 1.5;
    cross_entropy_forward_reference(g, xd.data(), target.data(), wd.data(), loss.data(), saved.data());
    cross_entropy_backward_reference(g, &dy, xd.data(), target.data(), wd.data(), saved.data(), dx.data());
    const auto exact = complex_step(x, [&] {
      Complex l;
      Array<Complex> s(g.saved_size(), 1);
      cross_entropy_forward_reference(g, x.data(), target.data(), weight.data(), &l, s.data());
      return dy * l;
    });
    EXPECT_TRUE(close(dx, exact, {.absolute = 1e-14, .relative = 1e-12}));
  }
}

}  // namespace
}  // namespace kern::kernels
