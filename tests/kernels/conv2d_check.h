// What every implementation of conv2d is held to, for the tests that choose the cases.
#pragma once
#include "kernels/common/parallel.h"
#include "kernels/conv/conv2d.h"
#include "tests/support/kernel_check.h"

namespace kern::testing {

// Of a row that is not exact: a share of the largest value, since its errors are those of whole tiles. In long sums they
// grow faster, by the root of how many terms there are, than what is summed.
template <class A>
Tolerance rounding(bool exact, const A& expected, int64_t terms = 0) {
  if (exact) return {};
  double largest = 0;
  for (int64_t i = 0; i < expected.rows(); ++i)
    for (int64_t j = 0; j < expected.c(); ++j) largest = std::max(largest, std::abs(double(expected.at(i, j))));
  return {.absolute = 4e-6 * largest * std::sqrt(std::max(1.0, double(terms) / 512))};
}

// A filter prepared once gives the bits that an entry gives which prepares it itself, then within the limits. `plain` is
// what that gave, in and out have the spec's pitches.
inline void check_prepared(const kernels::Conv2dImpl& impl, const kernels::Exec& exec, const kernels::Conv2dSpec& g,
                           bool backward_data, const Array<>& in, const Array<>& w, const float* bias,
                           const Array<>& plain, int64_t pitch) {
  using namespace kernels;
  if (!impl.prepared.run || impl.prepared.bytes(g, backward_data) == 0) return;
  std::vector<float> memory(impl.prepared.bytes(g, backward_data) / sizeof(float) + 16, NAN);
  float* const at = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) / sizeof(float);
  impl.prepared.prepare(g, backward_data, w.data(), bias, at);
  Array<> out(plain.rows(), plain.c(), pitch), limited = plain;
  impl.prepared.run(exec, g, backward_data, in.data(), at, {}, out.data());
  EXPECT_TRUE(close(out, plain)) << "prepared, backward_data " << backward_data;
  const Limits limits{.low = -2, .high = 7};
  for (int64_t i = 0; i < limited.rows(); ++i)
    for (int64_t c = 0; c < limited.c(); ++c)
      limited.at(i, c) = std::min(std::max(limited.at(i, c), limits.low), limits.high);
  Array<> within(plain.rows(), plain.c(), pitch);
  impl.prepared.run(exec, g, backward_data, in.data(), at, limits, within.data());
  EXPECT_TRUE(close(within, limited)) << "prepared within limits, backward_data " << backward_data;
}

// Every row against the reference, exactly where the row is: small integers; and twice, bit for bit.
inline void check_rows(const kernels::Conv2dSpec& g, bool with_bias) {
  using namespace kernels;
  const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), g.k, g.pitch.dy, 4);
  const auto bias = [&] { return with_bias ? b.data() : nullptr; };
  Array<> y0(g.y_rows(), g.k, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx), dw0(g.w_size(), 1), db0(g.k, 1);
  conv2d_forward_reference(g, x.data(), w.data(), bias(), y0.data());
  conv2d_backward_data_reference(g, dy.data(), w.data(), dx0.data());
  conv2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
  conv2d_backward_bias_reference(g, dy.data(), db0.data());
  for_each_impl(conv2d_registry(), g, [&](const Conv2dImpl& impl, const Exec& exec) {
    const bool slow = impl.device == Device::cuda && g.macs() > 200'000;  // where it is emulated
    if (slow && g.macs() > 10'000'000) return;
    for (int pass = 0; pass < (slow ? 1 : 2); ++pass) {
      Array<> y(g.y_rows(), g.k, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx), dw(g.w_size(), 1), db(g.k, 1);
      impl.forward(exec, g, x.data(), w.data(), bias(), y.data());
      EXPECT_TRUE(close(y, y0, rounding(impl.exact, y0, g.w_size() / g.k))) << "forward";
      impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
      EXPECT_TRUE(close(dx, dx0, rounding(impl.exact, dx0))) << "backward_data";
      if (pass == 0) {
        check_prepared(impl, exec, g, false, x, w, bias(), y, g.pitch.y);
        check_prepared(impl, exec, g, true, dy, w, nullptr, dx, g.pitch.dx);
        if (impl.backward_data_plus) {
          const auto b_of_dx = Array<>::integers(g.c, 1, 0, 6);
          Array<> plus(g.x_rows(), g.c, g.pitch.dx);
          impl.backward_data_plus(exec, g, dy.data(), w.data(), b_of_dx.data(), plus.data());
          check_prepared(impl, exec, g, true, dy, w, b_of_dx.data(), plus, g.pitch.dx);
        }
      }
      if (impl.backward_data_added) {
        for (const int64_t more : {0, 3}) {  // packs of it lie as values do, or not
          const auto base = Array<>::integers(g.x_rows(), g.c, g.c + more, 5);
          Array<> sum(g.x_rows(), g.c, g.pitch.dx), sum0 = dx0;
          for (int64_t i = 0; i < sum.rows(); ++i)
            for (int64_t c = 0; c < g.c; ++c) sum0.at(i, c) += base.at(i, c);
          impl.backward_data_added(exec, g, dy.data(), w.data(), base.data(), base.pitch(), sum.data());
          EXPECT_TRUE(close(sum, sum0, rounding(impl.exact, dx0))) << "backward_data_added, pitch " << base.pitch();
        }
      }
      impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
      EXPECT_TRUE(close(dw, dw0, rounding(impl.exact, dw0))) << "backward_weight";
      impl.backward_bias(exec, g, dy.data(), db.data());
      EXPECT_TRUE(close(db, db0)) << "backward_bias";
    }
  });
}

// Work is cut by the problem, not by the number of threads: any number gives the same bits.
inline void check_threads(const kernels::Conv2dSpec& g) {
  using namespace kernels;
  const int before = thread_count();
  const auto x = Array<>::uniform(g.x_rows(), g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
             b = Array<>::uniform(g.k, 1, 0, 3), dy = Array<>::uniform(g.y_rows(), g.k, 0, 4);
  for_each_impl(conv2d_registry(), g, [&](const Conv2dImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference" || impl.device != Device::cpu) return;
    Array<> y1(g.y_rows(), g.k), dx1(g.x_rows(), g.c), dw1(g.w_size(), 1), db1(g.k, 1);
    for (const int threads : {1, 2, 3, 7}) {
      SCOPED_TRACE(threads);
      set_thread_count(threads);
      Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1), db(g.k, 1);
      impl.forward(exec, g, x.data(), w.data(), b.data(), y.data());
      impl.backward_data(exec, g, dy.data(), w.data(), dx.data());
      impl.backward_weight(exec, g, dy.data(), x.data(), dw.data());
      impl.backward_bias(exec, g, dy.data(), db.data());
      if (threads == 1) y1 = y, dx1 = dx, dw1 = dw, db1 = db;
      EXPECT_TRUE(close(y, y1)) << "forward";
      EXPECT_TRUE(close(dx, dx1)) << "backward_data";
      EXPECT_TRUE(close(dw, dw1)) << "backward_weight";
      EXPECT_TRUE(close(db, db1)) << "backward_bias";
    }
  });
  set_thread_count(before);
}

}  // namespace kern::testing
