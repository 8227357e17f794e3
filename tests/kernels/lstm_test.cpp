#include "kernels/recurrent/lstm.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(LstmSpec{.n = 2, .l = 3, .c = 5, .h = 7}.macs() == 6 * 28 * 12);
static_assert(LstmSpec{.l = 3}.position(0) == 0 && LstmSpec{.l = 3, .reverse = true}.position(0) == 2);
static_assert(LstmSpec{.h = 7, .pitch = {.y = 9}}.y_pitch() == 9 && LstmSpec{.h = 7}.dy_pitch() == 7);

// Everything that one call reads and writes, in any scalar.
template <class T>
struct Call {
  LstmSpec g;
  Array<T> x, w_ih, w_hh, b_ih, b_hh, dy;
  Array<T> y, gates, cells, dx, dw_ih, dw_hh, db;
  explicit Call(const LstmSpec& spec)
      : g(spec),
        x(Array<T>::uniform(g.rows(), g.c, g.pitch.x, 1)),
        w_ih(Array<T>::uniform(g.gates(), g.c, 0, 2)),
        w_hh(Array<T>::uniform(g.gates(), g.h, 0, 3)),
        b_ih(Array<T>::uniform(g.gates(), 1, 0, 4)),
        b_hh(Array<T>::uniform(g.gates(), 1, 0, 5)),
        dy(Array<T>::uniform(g.rows(), g.h, g.pitch.dy, 6)),
        y(g.rows(), g.h, g.pitch.y),
        gates(g.rows(), g.gates()),
        cells(g.rows(), g.h),
        dx(g.rows(), g.c, g.pitch.dx),
        dw_ih(g.gates(), g.c),
        dw_hh(g.gates(), g.h),
        db(g.gates(), 1) {}

  void forward_reference() {
    lstm_forward_reference(g, x.data(), w_ih.data(), w_hh.data(), b_ih.data(), b_hh.data(), y.data(), gates.data(),
                           cells.data());
  }
  void backward_reference() {
    Array<T> scratch(6 * g.h, 1);
    lstm_backward_reference(g, dy.data(), x.data(), w_ih.data(), w_hh.data(), y.data(), gates.data(), cells.data(),
                            dx.data(), dw_ih.data(), dw_hh.data(), db.data(), scratch.data());
  }
  void run(const LstmImpl& impl, const Exec& exec) {
    impl.forward(exec, g, x.data(), w_ih.data(), w_hh.data(), b_ih.data(), b_hh.data(), y.data(), gates.data(),
                 cells.data());
    impl.backward(exec, g, dy.data(), x.data(), w_ih.data(), w_hh.data(), y.data(), gates.data(), cells.data(),
                  dx.data(), dw_ih.data(), dw_hh.data(), db.data());
  }
};
template <class T, class U>
void expect_near(const Call<T>& a, const Call<U>& b, Tolerance values = {}, Tolerance sums = {}) {
  EXPECT_TRUE(close(a.y, b.y, values)) << "y";
  EXPECT_TRUE(close(a.gates, b.gates, values)) << "gates";
  EXPECT_TRUE(close(a.cells, b.cells, values)) << "cells";
  EXPECT_TRUE(close(a.dx, b.dx, values)) << "dx";
  EXPECT_TRUE(close(a.dw_ih, b.dw_ih, sums)) << "dw_ih";
  EXPECT_TRUE(close(a.dw_hh, b.dw_hh, sums)) << "dw_hh";
  EXPECT_TRUE(close(a.db, b.db, sums)) << "db";
}

const LstmSpec kLstmSpecs[] = {
    {.n = 2, .l = 5, .c = 3, .h = 7},
    {.n = 3, .l = 1, .c = 2, .h = 5},
    {.n = 1, .l = 40, .c = 1, .h = 1},
    {.n = 19, .l = 3, .c = 4, .h = 6},   // several units of samples, the last of three
    {.n = 9, .l = 4, .c = 17, .h = 33},  // several panels
    {.n = 130, .l = 2, .c = 1, .h = 2},  // several samples a block on a GPU
    {.n = 259, .l = 2, .c = 1, .h = 3},
    {.n = 2, .l = 3, .c = 2, .h = 80},  // weights beyond a GPU's shared memory
    {.n = 0, .l = 4, .c = 2, .h = 3},
    {.n = 2, .l = 0, .c = 2, .h = 3},
    {.n = 2, .l = 6, .c = 3, .h = 16, .pitch = {.x = 5, .y = 19, .dx = 4, .dy = 17}},
};

TEST(LstmKernel, rows_are_near_the_double_reference_for_any_number_of_threads) {
  const int threads = thread_count();
  for (LstmSpec g : kLstmSpecs)
    for (const bool reverse : {false, true}) {
      g.reverse = reverse;
      SCOPED_TRACE(text(g.n, " x ", g.l, " x ", g.c, " to ", g.h, reverse ? " reverse" : ""));
      Call<double> expected(g);
      expected.forward_reference();
      expected.backward_reference();
      for_each_impl(lstm_registry(), g, [&](const LstmImpl& impl, const Exec& exec) {
        EXPECT_LE(impl.forward_workspace(g), impl.workspace(g));
        Call<float> first(g);
        for (const int n : impl.device == Device::cuda ? std::vector<int>{1, 1} : std::vector<int>{1, 3, 3}) {
          set_thread_count(n);
          Call<float> call(g);
          call.run(impl, exec);
          if (n == 1) {
            expect_near(call, expected, {.absolute = 2e-6, .relative = 2e-6}, {.absolute = 2e-5, .relative = 2e-6});
            first = call;
          } else {
            expect_near(call, first);
          }
        }
      });
    }
  set_thread_count(threads);
}

// A long memory keeps its digits: 2000 steps with gates that are nearly open.
TEST(LstmKernel, errors_do_not_grow_over_many_steps) {
  const LstmSpec g{.n = 1, .l = 2000, .c = 2, .h = 5};
  Call<float> call(g);
  for (int64_t h = 0; h < g.h; ++h) call.b_ih.at(g.h + h, 0) = 6;
  Call<double> expected(g);
  expected.b_ih = call.b_ih.as<double>();
  expected.forward_reference();
  expected.backward_reference();
  for_each_impl(lstm_registry(), g, [&](const LstmImpl& impl, const Exec& exec) {
    Call<float> now = call;
    now.run(impl, exec);
    EXPECT_TRUE(close(now.y, expected.y, {.absolute = 2e-5}));
    EXPECT_TRUE(close(now.dx, expected.dx, {.absolute = 2e-4, .relative = 1e-4}));
    EXPECT_TRUE(close(now.dw_hh, expected.dw_hh, {.absolute = 2e-2, .relative = 1e-4}));
  });
}

TEST(LstmKernel, gradients_that_nobody_needs_and_biases_that_are_absent) {
  const LstmSpec g{.n = 2, .l = 4, .c = 3, .h = 5};
  for_each_impl(lstm_registry(), g, [&](const LstmImpl& impl, const Exec& exec) {
    Call<float> call(g), part(g);
    call.run(impl, exec);
    part.b_ih.for_each([](float& v) { v = 0; });
    part.b_hh.for_each([](float& v) { v = 0; });
    Call<float> zero = part;
    zero.run(impl, exec);
    impl.forward(exec, g, part.x.data(), part.w_ih.data(), part.w_hh.data(), nullptr, nullptr, part.y.data(),
                 part.gates.data(), part.cells.data());
    EXPECT_TRUE(close(part.y, zero.y));
    auto backward = [&](float* dx, float* dw_ih, float* dw_hh, float* db) {
      impl.backward(exec, g, call.dy.data(), call.x.data(), call.w_ih.data(), call.w_hh.data(), call.y.data(),
                    call.gates.data(), call.cells.data(), dx, dw_ih, dw_hh, db);
    };
    backward(part.dx.data(), nullptr, nullptr, nullptr);
    backward(nullptr, part.dw_ih.data(), nullptr, nullptr);
    backward(nullptr, nullptr, part.dw_hh.data(), nullptr);
    backward(nullptr, nullptr, nullptr, part.db.data());
    EXPECT_TRUE(close(part.dx, call.dx));
    EXPECT_TRUE(close(part.dw_ih, call.dw_ih));
    EXPECT_TRUE(close(part.dw_hh, call.dw_hh));
    EXPECT_TRUE(close(part.db, call.db));
  });
}

TEST(LstmKernel, a_nan_reaches_what_comes_after_it_in_its_sample_and_nothing_else) {
  const LstmSpec g{.n = 3, .l = 6, .c = 2, .h = 4};
  for_each_impl(lstm_registry(), g, [&](const LstmImpl& impl, const Exec& exec) {
    Call<float> call(g);
    call.x.at(g.l + 2, 1) = std::nanf("");
    call.run(impl, exec);
    for (int64_t i = 0; i < g.rows(); ++i)
      for (int64_t h = 0; h < g.h; ++h) EXPECT_EQ(std::isnan(call.y.at(i, h)), i >= g.l + 2 && i < 2 * g.l) << i;
  });
}

// Without recurrence the gates are the two functions themselves, from 1e-6 to 190 on both sides.
TEST(LstmKernel, sigmoid_and_tanh_keep_their_digits) {
  const LstmSpec g{.n = 1, .l = 400, .c = 1, .h = 3};
  for_each_impl(lstm_registry(), g, [&](const LstmImpl& impl, const Exec& exec) {
    Call<float> call(g);
    call.w_hh.for_each([](float& v) { v = 0; });
    call.w_ih.for_each([](float& v) { v = 1; });
    for (int64_t t = 0; t < g.l; ++t) call.x.at(t, 0) = float((t % 2 ? -1e-6 : 1e-6) * std::pow(1.1, double(t / 2)));
    impl.forward(exec, g, call.x.data(), call.w_ih.data(), call.w_hh.data(), nullptr, nullptr, call.y.data(),
                 call.gates.data(), call.cells.data());
    Array<double> expected(g.l, g.gates());
    for (int64_t t = 0; t < g.l; ++t)
      for (int64_t k = 0; k < g.gates(); ++k) {
        const double x = double(call.x.at(t, 0));
        expected.at(t, k) = k / g.h == 2 ? std::tanh(x) : 1 / (1 + std::exp(-x));
      }
    EXPECT_TRUE(close(call.gates, expected, {.absolute = 1e-37, .relative = 5e-7}));
  });
}

// Gates that are far open or shut stay finite: sigmoid and tanh at +-1000.
TEST(LstmKernel, saturated_gates_are_zero_or_one) {
  const LstmSpec g{.n = 1, .l = 2, .c = 1, .h = 2};
  for_each_impl(lstm_registry(), g, [&](const LstmImpl& impl, const Exec& exec) {
    Call<float> call(g);
    call.w_hh.for_each([](float& v) { v = 0; });
    call.w_ih.for_each([](float& v) { v = 1000; });
    call.b_ih.for_each([](float& v) { v = 0; });
    call.b_hh.for_each([](float& v) { v = 0; });
    call.x.at(0, 0) = 1, call.x.at(1, 0) = -1;
    call.run(impl, exec);
    for (int64_t k = 0; k < g.gates(); ++k) {
      EXPECT_EQ(call.gates.at(0, k), 1) << k;
      EXPECT_EQ(call.gates.at(1, k), k / g.h == 2 ? -1 : 0) << k;
      EXPECT_EQ(call.db.at(k, 0), 0);
    }
    EXPECT_FLOAT_EQ(call.y.at(0, 0), std::tanh(1.0f));
    EXPECT_EQ(call.y.at(1, 1), 0);
  });
}

TEST(LstmReference, is_its_own_derivative) {
  for (const bool reverse : {false, true}) {
    const LstmSpec g{.n = 2, .l = 4, .c = 2, .h = 3, .reverse = reverse};
    Call<double> exact(g);
    exact.forward_reference();
    exact.backward_reference();
    Call<Complex> call(g);
    auto loss = [&] {
      call.forward_reference();
      return weighted_sum(exact.dy, call.y);
    };
    const Tolerance near{.absolute = 1e-13, .relative = 1e-13};
    EXPECT_TRUE(close(complex_step(call.x, loss), exact.dx, near));
    EXPECT_TRUE(close(complex_step(call.w_ih, loss), exact.dw_ih, near));
    EXPECT_TRUE(close(complex_step(call.w_hh, loss), exact.dw_hh, near));
    EXPECT_TRUE(close(complex_step(call.b_ih, loss), exact.db, near));
    EXPECT_TRUE(close(complex_step(call.b_hh, loss), exact.db, near));
  }
}

}  // namespace
}  // namespace kern::kernels
