#include "kernels/labels/monotone_posteriors.h"

#include <algorithm>

#include "kernels/common/parallel.h"
#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

// f(labels, product of their probabilities) for every labelling of L samples in K classes that never goes back.
template <class F>
void for_each_in_order(const float* p, int64_t length, int64_t classes, F&& f) {
  std::vector<int> labels(size_t(length), 0);
  for (;;) {
    double product = 1;
    for (int64_t i = 0; i < length; ++i) product *= double(p[i * classes + labels[size_t(i)]]);
    if (std::is_sorted(labels.begin(), labels.end())) f(labels, product);
    size_t i = 0;
    while (i < labels.size() && ++labels[i] == classes) labels[i++] = 0;
    if (i == labels.size()) return;
  }
}

TEST(MonotonePosteriorsKernel, are_shares_of_all_labellings_that_never_go_back) {
  for (int round = 0; round < 24; ++round) {
    const MonotonePosteriorsSpec g{.n = 2, .l = 1 + round % 6, .c = 1 + round % 4};
    const auto p = Array<>::uniform(g.n * g.l, g.c, 0, uint32_t(round), 0.01, 1);
    Array<double> expected(g.n * g.l, g.c);
    for (int64_t n = 0; n < g.n; ++n) {
      double all = 0;
      for (int64_t i = 0; i < g.l; ++i)
        for (int64_t c = 0; c < g.c; ++c) expected.at(n * g.l + i, c) = 0;
      for_each_in_order(p.host() + n * g.l * g.c, g.l, g.c, [&](const std::vector<int>& labels, double product) {
        all += product;
        for (int64_t i = 0; i < g.l; ++i) expected.at(n * g.l + i, labels[size_t(i)]) += product;
      });
      for (int64_t i = 0; i < g.l; ++i)
        for (int64_t c = 0; c < g.c; ++c) expected.at(n * g.l + i, c) /= all;
    }
    for_each_impl(monotone_posteriors_registry(), g, [&](const MonotonePosteriorsImpl& impl, const Exec& exec) {
      Array<> q(g.n * g.l, g.c);
      impl.forward(exec, g, p.data(), nullptr, q.data());
      EXPECT_TRUE(close(q, expected, {.absolute = 1e-6})) << "round " << round;
      Array<> in_place = p;
      impl.forward(exec, g, in_place.data(), nullptr, in_place.data());
      EXPECT_TRUE(close(in_place, q));
    });
  }
}

// What takes no part is as if it were not there, and keeps what it has. More signals than one block's threads.
TEST(MonotonePosteriorsKernel, of_what_takes_part) {
  const MonotonePosteriorsSpec g{.n = 37, .l = 12, .c = 3};
  const auto p = Array<>::uniform(g.n * g.l, g.c, 0, 9, 0.01, 1);
  const Values<int32_t> present = class_targets(g.n * g.l, 4, true);
  Array<> expected = p;
  for (int64_t n = 0; n < g.n; ++n) {
    std::vector<int64_t> there;
    for (int64_t i = n * g.l; i < (n + 1) * g.l; ++i)
      if (present[size_t(i)] >= 0) there.push_back(i);
    const MonotonePosteriorsSpec of{.n = 1, .l = int64_t(there.size()), .c = g.c};
    Array<> some(of.l, of.c), q(of.l, of.c);
    for (int64_t i = 0; i < of.l; ++i)
      for (int64_t c = 0; c < g.c; ++c) some.at(i, c) = p.at(there[size_t(i)], c);
    std::vector<double> scratch(of.scratch_size());
    monotone_posteriors_reference(of, some.host(), nullptr, q.host(), scratch.data());
    for (int64_t i = 0; i < of.l; ++i)
      for (int64_t c = 0; c < g.c; ++c) expected.at(there[size_t(i)], c) = q.at(i, c);
  }
  const int before = thread_count();
  for_each_impl(monotone_posteriors_registry(), g, [&](const MonotonePosteriorsImpl& impl, const Exec& exec) {
    for (const int threads : {1, 3}) {
      set_thread_count(threads);
      Array<> q(g.n * g.l, g.c);
      impl.forward(exec, g, p.data(), present.data(), q.data());
      EXPECT_TRUE(close(q, expected, {.absolute = impl.device == Device::cpu ? 0 : 1e-7}));
    }
    set_thread_count(before);
  });
}

TEST(MonotonePosteriorsKernel, of_a_long_signal_nothing_is_lost) {
  // 5000 samples say 1 and then 5000 say 0: half way the products are far below what a double holds, and one label for
  // all of them is as good as the other, with any place for a step up in the middle far worse.
  const MonotonePosteriorsSpec g{.n = 1, .l = 10000, .c = 2};
  Array<> p(g.l, g.c);
  for (int64_t i = 0; i < g.l; ++i) p.at(i, 0) = i < 5000 ? 0.001f : 0.999f, p.at(i, 1) = i < 5000 ? 0.999f : 0.001f;
  for_each_impl(monotone_posteriors_registry(), g, [&](const MonotonePosteriorsImpl& impl, const Exec& exec) {
    Array<> q(g.l, g.c);
    impl.forward(exec, g, p.data(), nullptr, q.data());
    for (const int64_t i : {100, 5000, 9900}) {
      EXPECT_NEAR(q.at(i, 0), 0.5, 1e-3);
      EXPECT_NEAR(q.at(i, 0) + q.at(i, 1), 1, 1e-6);
    }
    Array<> bad = p;
    bad.at(700, 0) = NAN;
    impl.forward(exec, g, bad.data(), nullptr, q.data());
    EXPECT_TRUE(std::isnan(q.at(0, 0)) && std::isnan(q.at(9999, 0)));
  });
}

}  // namespace
}  // namespace kern::kernels
