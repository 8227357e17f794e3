#include "kernels/norm/batch_norm.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(BatchNormSpec{.rows = 5}.unbiased() == 1.25 && BatchNormSpec{.rows = 5}.updates());
static_assert(!BatchNormSpec{.rows = 5, .frozen = true}.updates() && !BatchNormSpec{.rows = 1}.updates());

const BatchNormSpec kBatchNormSpecs[] = {
    {.rows = 37, .c = 5},
    {.rows = 64, .c = 1, .momentum = 0.01f},
    {.rows = 0, .c = 3},
    {.rows = 9001, .c = 4},
    {.rows = 300, .c = 131, .eps = 1e-3f},
    {.rows = 33, .c = 3, .pitch = {.x = 4, .y = 7, .dx = 5, .dy = 6}},
};

void check_batch_norm(const BatchNormSpec& g, bool affine, float mean_of_data, double tolerance) {
  auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1);
  x.for_each([&](float& v) { v += mean_of_data; });
  const auto weight = Array<>::uniform(g.c, 1, 0, 2), bias = Array<>::uniform(g.c, 1, 0, 3),
             dy = Array<>::uniform(g.rows, g.c, g.pitch.dy, 4);
  auto running_mean = Array<>::uniform(g.c, 1, 0, 5), running_variance = Array<>::uniform(g.c, 1, 0, 6, 0.5, 2);
  running_mean.for_each([&](float& v) { v += mean_of_data; });
  const auto w = [&] { return affine ? weight.data() : nullptr; };
  const auto b = [&] { return affine ? bias.data() : nullptr; };
  const auto wd = weight.as<double>(), bd = bias.as<double>(), xd = x.as<double>(), dyd = dy.as<double>();
  auto rm0 = running_mean.as<double>(), rv0 = running_variance.as<double>();
  Array<double> y0(g.rows, g.c, g.pitch.y), mean0(g.c, 1), inverse0(g.c, 1), dx0(g.rows, g.c, g.pitch.dx), dw0(g.c, 1),
      db0(g.c, 1);
  batch_norm_forward_reference(g, xd.data(), affine ? wd.data() : nullptr, affine ? bd.data() : nullptr, rm0.data(),
                               rv0.data(), y0.data(), mean0.data(), inverse0.data());
  batch_norm_backward_reference(g, dyd.data(), xd.data(), affine ? wd.data() : nullptr, mean0.data(), inverse0.data(),
                                dx0.data(), dw0.data(), db0.data());
  const Tolerance near{.absolute = tolerance, .relative = tolerance},
      sums{.absolute = tolerance * double(10 + g.rows), .relative = tolerance};
  const int threads = thread_count();
  for_each_impl(batch_norm_registry(), g, [&](const BatchNormImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference" && mean_of_data != 0) return;  // plain float sums
    Array<> last_y(0, 1), last_dx(0, 1), last_dw(0, 1);
    for (int n : {1, 3}) {
      set_thread_count(n);
      auto rm = running_mean, rv = running_variance;
      Array<> y(g.rows, g.c, g.pitch.y), mean(g.c, 1), inverse(g.c, 1), dx(g.rows, g.c, g.pitch.dx), dw(g.c, 1),
          db(g.c, 1);
      impl.forward(exec, g, x.data(), w(), b(), rm.data(), rv.data(), y.data(), mean.data(), inverse.data());
      EXPECT_TRUE(close(y, y0, near));
      EXPECT_TRUE(close(mean, mean0, {.absolute = 1e-6, .relative = 1e-6}));
      EXPECT_TRUE(close(inverse, inverse0, {.relative = 1e-5}));
      EXPECT_TRUE(close(rm, rm0, {.absolute = 1e-6, .relative = 1e-6}));
      EXPECT_TRUE(close(rv, rv0, {.absolute = 1e-6, .relative = 1e-5}));
      impl.backward(exec, g, dy.data(), x.data(), w(), mean.data(), inverse.data(), dx.data(), dw.data(), db.data());
      EXPECT_TRUE(close(dx, dx0, near));
      EXPECT_TRUE(close(dw, dw0, sums));
      EXPECT_TRUE(close(db, db0, sums));
      Array<> only_dx(g.rows, g.c, g.pitch.dx);
      impl.backward(exec, g, dy.data(), x.data(), w(), mean.data(), inverse.data(), only_dx.data(), nullptr, nullptr);
      EXPECT_TRUE(close(only_dx, dx));
      if (n == 3) {
        EXPECT_TRUE(close(y, last_y)) << "another number of threads, other bits";
        EXPECT_TRUE(close(dx, last_dx));
        EXPECT_TRUE(close(dw, last_dw));
      }
      last_y = y, last_dx = dx, last_dw = dw;
    }
  });
  set_thread_count(threads);
}

TEST(BatchNormKernel, rows_are_near_the_double_reference) {
  for (BatchNormSpec g : kBatchNormSpecs)
    for (bool frozen : {false, true})
      for (bool affine : {false, true}) {
        SCOPED_TRACE(text(g.rows, " x ", g.c, affine ? " affine" : "", frozen ? " frozen" : ""));
        g.frozen = frozen;
        check_batch_norm(g, affine, 0, 2e-5);
      }
}

TEST(BatchNormKernel, a_mean_of_1000_costs_no_digits) {
  check_batch_norm(BatchNormSpec{.rows = 9001, .c = 4}, true, 1000, 2e-4);
}

TEST(BatchNormKernel, running_statistics_by_hand) {
  const BatchNormSpec g{.rows = 2, .c = 1, .momentum = 0.5f};
  const Values<> x{1, 3};
  for_each_impl(batch_norm_registry(), g, [&](const BatchNormImpl& impl, const Exec& exec) {
    Values<> running_mean{4}, running_variance{1}, y(2), mean(1), inverse(1);
    impl.forward(exec, g, x.data(), nullptr, nullptr, running_mean.data(), running_variance.data(), y.data(),
                 mean.data(), inverse.data());
    EXPECT_EQ(running_mean[0], 3);         // (4 + 2) / 2
    EXPECT_EQ(running_variance[0], 1.5f);  // (1 + 2) / 2: unbiased, while y is divided by the biased 1
    EXPECT_NEAR(y[1], 1, 1e-5);
    impl.forward(exec, g, x.data(), nullptr, nullptr, nullptr, nullptr, y.data(), mean.data(),
                 inverse.data());  // without running statistics
    EXPECT_NEAR(y[0], -1, 1e-5);
  });
}

TEST(BatchNormReference, is_its_own_derivative) {
  for (bool frozen : {false, true}) {
    const BatchNormSpec g{.rows = 9, .c = 3, .frozen = frozen};
    auto x = Array<Complex>::uniform(g.rows, g.c, 0, 1), weight = Array<Complex>::uniform(g.c, 1, 0, 2),
         bias = Array<Complex>::uniform(g.c, 1, 0, 3);
    const auto xd = Array<double>::uniform(g.rows, g.c, 0, 1), wd = Array<double>::uniform(g.c, 1, 0, 2),
               bd = Array<double>::uniform(g.c, 1, 0, 3), dy = Array<double>::uniform(g.rows, g.c, 0, 4),
               running = Array<double>::uniform(g.c, 1, 0, 5, 0.5, 2);
    auto rm = running, rv = running;
    Array<double> y(g.rows, g.c), mean(g.c, 1), inverse(g.c, 1), dx(g.rows, g.c), dw(g.c, 1), db(g.c, 1);
    batch_norm_forward_reference(g, xd.data(), wd.data(), bd.data(), rm.data(), rv.data(), y.data(), mean.data(),
                                 inverse.data());
    batch_norm_backward_reference(g, dy.data(), xd.data(), wd.data(), mean.data(), inverse.data(), dx.data(), dw.data(),
                                  db.data());
    auto loss = [&] {
      auto m = running.as<Complex>(), v = running.as<Complex>();
      Array<Complex> out(g.rows, g.c), mean_c(g.c, 1), inverse_c(g.c, 1);
      batch_norm_forward_reference(g, x.data(), weight.data(), bias.data(), m.data(), v.data(), out.data(),
                                   mean_c.data(), inverse_c.data());
      return weighted_sum(dy, out);
    };
    EXPECT_TRUE(close(complex_step(x, loss), dx, {.absolute = 1e-12}));
    EXPECT_TRUE(close(complex_step(weight, loss), dw, {.absolute = 1e-12}));
    EXPECT_TRUE(close(complex_step(bias, loss), db, {.absolute = 1e-12}));
  }
}

}  // namespace
}  // namespace kern::kernels
