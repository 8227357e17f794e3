#include "kernels/matmul/linear.h"

#include <algorithm>
#include <vector>

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(LinearSpec{.rows = 7, .c = 3, .k = 5}.macs() == 105);
static_assert(LinearSpec{.c = 3, .k = 5}.x_pitch() == 3 && LinearSpec{.c = 3, .k = 5}.dy_pitch() == 5);

struct LinearCase {
  LinearSpec g;
  bool bias = true;
};
const LinearCase kLinearCases[] = {
    {{.rows = 1, .c = 1, .k = 1}},
    {{.rows = 4, .c = 8, .k = 8}},
    {{.rows = 37, .c = 19, .k = 13}, false},
    {{.rows = 33, .c = 300, .k = 70}},
    {{.rows = 700, .c = 3, .k = 5}},
    {{.rows = 0, .c = 3, .k = 5}},
    // Few rows, whose weights are read where they lie.
    {{.rows = 1, .c = 300, .k = 70}},
    {{.rows = 2, .c = 1037, .k = 5}, false},
    {{.rows = 3, .c = 33, .k = 601, .pitch = {.x = 36, .y = 603, .dx = 34, .dy = 602}}},
    {{.rows = 4, .c = 64, .k = 64}},
    {{.rows = 11, .c = 129, .k = 258, .pitch = {.x = 130, .y = 259, .dx = 131, .dy = 260}}},
    {{.rows = 15, .c = 16, .k = 700}},
    // Of the SIMD products: few rows and more terms than are packed at a time; many rows of both, with slots.
    {{.rows = 17, .c = 1100, .k = 40}},
    {{.rows = 1030, .c = 33, .k = 226, .pitch = {.x = 36, .y = 227, .dx = 34, .dy = 229}}, false},
    {{.rows = 35, .c = 9, .k = 12, .pitch = {.x = 11, .y = 13, .dx = 10, .dy = 16}}},
};

// With weights and bias packed beforehand, plain and with the largest values and those below 0 cut.
void check_prepared(const LinearImpl& impl, const LinearSpec& g, const float* x, const float* w, const float* b,
                    const Array<>& expected) {
  if (!impl.prepared.run) return;
  std::vector<char> prepared(impl.prepared.bytes(g));
  impl.prepared.prepare(g, w, b, prepared.data());
  for (const Limits limits : {Limits{}, Limits{.low = 0, .high = 5}}) {
    Array<> y(g.rows, g.k, g.pitch.y), limited(g.rows, g.k, g.pitch.y);
    impl.prepared.run(g, x, prepared.data(), limits, y.data());
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t k = 0; k < g.k; ++k)
        limited.at(i, k) = std::min(std::max(expected.at(i, k), limits.low), limits.high);
    EXPECT_TRUE(close(y, limited)) << "prepared";
  }
}

TEST(LinearKernel, rows_equal_the_reference_on_any_number_of_threads) {
  const int threads = thread_count();
  for (const auto& [spec, has_bias] : kLinearCases) {
    const LinearSpec& g = spec;
    SCOPED_TRACE(text(g.rows, " x ", g.c, " to ", g.k));
    const auto x = Array<>::integers(g.rows, g.c, g.pitch.x, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
               b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.rows, g.k, g.pitch.dy, 4);
    const auto bias = [&, with = has_bias] { return with ? b.data() : nullptr; };
    Array<> y0(g.rows, g.k, g.pitch.y), dx0(g.rows, g.c, g.pitch.dx), dw0(g.w_size(), 1), db0(g.k, 1);
    linear_forward_reference(g, x.data(), w.data(), bias(), y0.data());
    linear_backward_data_reference(g, dy.data(), w.data(), dx0.data());
    linear_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
    linear_backward_bias_reference(g, dy.data(), db0.data());
    for_each_impl(linear_registry(), g, [&](const LinearImpl& impl, const Exec& exec) {
      for (int n : {1, 3}) {
        set_thread_count(n);
        Array<> y(g.rows, g.k, g.pitch.y), dx(g.rows, g.c, g.pitch.dx), dw(g.w_size(), 1), db(g.k, 1);
        impl.forward(exec, g, x.data(), w.data(), bias(), y.data());
        EXPECT_TRUE(close(y, y0)) << "forward";
        check_prepared(impl, g, x.data(), w.data(), bias(), y0);
        impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0)) << "backward_data";
        impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
        EXPECT_TRUE(close(dw, dw0)) << "backward_weight";
        impl.backward_bias(exec, g, dy.data(), db.data());
        EXPECT_TRUE(close(db, db0)) << "backward_bias";
      }
    });
  }
  set_thread_count(threads);
}

// The weight's gradient sums over all rows: near the double reference, and the same bits for any number of threads.
TEST(LinearKernel, long_sums_lose_little) {
  const int threads = thread_count();
  const LinearSpec g{.rows = 20000, .c = 9, .k = 6};
  const auto x = Array<>::uniform(g.rows, g.c, 0, 1, 0, 1), dy = Array<>::uniform(g.rows, g.k, 0, 2, 0, 1);
  Array<double> dw0(g.w_size(), 1);
  linear_backward_weight_reference(g, dy.as<double>().data(), x.as<double>().data(), dw0.data());
  for_each_impl(linear_registry(), g, [&](const LinearImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference") return;
    Array<> first(g.w_size(), 1), again(g.w_size(), 1);
    set_thread_count(1);
    impl.backward_weight(exec, g, dy.data(), x.data(), first.data());
    set_thread_count(3);
    impl.backward_weight(exec, g, dy.data(), x.data(), again.data());
    EXPECT_TRUE(close(first, dw0, {.relative = 1e-5}));
    EXPECT_TRUE(close(again, first));
  });
  set_thread_count(threads);
}

TEST(LinearReference, is_its_own_derivative) {
  const LinearSpec g{.rows = 6, .c = 4, .k = 3};
  auto x = Array<Complex>::integers(g.rows, g.c, 0, 1), w = Array<Complex>::integers(g.w_size(), 1, 0, 2),
       b = Array<Complex>::integers(g.k, 1, 0, 3);
  const auto xd = Array<double>::integers(g.rows, g.c, 0, 1), wd = Array<double>::integers(g.w_size(), 1, 0, 2),
             dy = Array<double>::integers(g.rows, g.k, 0, 4);
  Array<double> dx(g.rows, g.c), dw(g.w_size(), 1), db(g.k, 1);
  linear_backward_data_reference(g, dy.data(), wd.data(), dx.data());
  linear_backward_weight_reference(g, dy.data(), xd.data(), dw.data());
  linear_backward_bias_reference(g, dy.data(), db.data());
  auto loss = [&] {
    Array<Complex> y(g.rows, g.k);
    linear_forward_reference(g, x.data(), w.data(), b.data(), y.data());
    return weighted_sum(dy, y);
  };
  EXPECT_TRUE(close(complex_step(x, loss), dx));
  EXPECT_TRUE(close(complex_step(w, loss), dw));
  EXPECT_TRUE(close(complex_step(b, loss), db));
}

}  // namespace
}  // namespace kern::kernels
