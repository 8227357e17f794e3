#include "kernels/optim/adam.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(AdamSpec{.n = 3} != AdamSpec{.n = 3, .decoupled = true});

// Five steps with new gradients against the reference in double; bits do not depend on the threads.
TEST(AdamKernel, five_steps_agree_with_the_reference_in_double) {
  const int before = thread_count();
  const Values<> lr{0.01f}, half{0.5f};
  for (const AdamSpec a : {AdamSpec{.n = 0}, AdamSpec{.n = 1}, AdamSpec{.n = 37, .weight_decay = 0.1},
                           AdamSpec{.n = 40001, .beta1 = 0.5, .weight_decay = 0.1, .decoupled = true}})
    for (const bool scaled : {false, true})
      for_each_impl(adam_registry(), a, [&](const AdamImpl& impl, const Exec& exec) {
        Array<> first(a.n, 1);
        for (int threads : {1, 3}) {
          set_thread_count(threads);
          auto p = Array<>::uniform(a.n, 1, 0, 1);
          Array<> m(a.n, 1), v(a.n, 1);
          m.for_each([](float& x) { x = 0; });
          v.for_each([](float& x) { x = 0; });
          auto pd = p.as<double>(), md = m.as<double>(), vd = v.as<double>();
          for (Values<int64_t> step{1}; step[0] <= 5; ++step[0]) {
            const auto g = Array<>::uniform(a.n, 1, 0, uint32_t(step[0] + 10));
            impl.step(exec, a, step.data(), lr.data(), scaled ? half.data() : nullptr, p.data(), g.data(), m.data(),
                      v.data());
            adam_reference(a, step.host(), lr.host(), scaled ? half.host() : nullptr, pd.host(), g.as<double>().host(),
                           md.host(), vd.host());
          }
          EXPECT_TRUE(close(p, pd, {.absolute = 2e-6}));
          EXPECT_TRUE(close(m, md, {.absolute = 1e-6}));
          EXPECT_TRUE(close(v, vd, {.absolute = 1e-6}));
          if (threads == 1) first = p;
          EXPECT_TRUE(close(p, first));
        }
      });
  set_thread_count(before);
}

// By hand: at step 1 the bias correction makes m = g and v = g^2, so p moves by lr g / (|g| + epsilon).
TEST(AdamKernel, the_first_step_moves_by_the_learning_rate) {
  const Values<int64_t> step{1};
  const Values<> lr{0.25f}, g{3, -0.01f};
  for (const bool decoupled : {false, true}) {
    const AdamSpec a{.n = 2, .weight_decay = decoupled ? 0.5 : 0, .decoupled = decoupled};
    for_each_impl(adam_registry(), a, [&](const AdamImpl& impl, const Exec& exec) {
      Values<> p{1, 2}, m(2), v(2);
      impl.step(exec, a, step.data(), lr.data(), nullptr, p.data(), g.data(), m.data(), v.data());
      EXPECT_NEAR(p[0], (decoupled ? 1 - 0.125f : 1) - 0.25f, 1e-6f);
      EXPECT_NEAR(p[1], (decoupled ? 2 - 0.25f : 2) + 0.25f, 1e-6f);
      EXPECT_NEAR(m[0], 0.3f, 1e-6f);
      EXPECT_NEAR(v[0], 0.009f, 1e-8f);
    });
  }
}

}  // namespace
}  // namespace kern::kernels
