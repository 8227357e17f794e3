#include "kernels/optim/sgd.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SgdSpec{.n = 3} != SgdSpec{.n = 3, .nesterov = true});

// Powers of two and small integers: every operation is exact, so the rows must be equal.
TEST(SgdKernel, three_steps_equal_the_reference) {
  const int before = thread_count();
  const Values<> lr{0.25f}, half{0.5f};
  for (const SgdSpec a : {SgdSpec{.n = 0}, SgdSpec{.n = 37, .weight_decay = 0.5},
                          SgdSpec{.n = 20001, .momentum = 0.5, .weight_decay = 0.25},
                          SgdSpec{.n = 33, .momentum = 0.5, .nesterov = true}})
    for (const bool scaled : {false, true})
      for_each_impl(sgd_registry(), a, [&](const SgdImpl& impl, const Exec& exec) {
        for (int threads : {1, 3}) {
          set_thread_count(threads);
          auto p = Array<>::integers(a.n, 1, 0, 1), m = Array<>::integers(a.n, 1, 0, 2);
          auto pd = p.as<double>(), md = m.as<double>();
          for (uint32_t step = 0; step < 3; ++step) {
            const auto g = Array<>::integers(a.n, 1, 0, step + 10);
            impl.step(exec, a, lr.data(), scaled ? half.data() : nullptr, p.data(), g.data(),
                      a.momentum != 0 ? m.data() : nullptr);
            sgd_reference(a, lr.host(), scaled ? half.host() : nullptr, pd.host(), g.as<double>().host(),
                          a.momentum != 0 ? md.host() : nullptr);
          }
          EXPECT_TRUE(close(p, pd));
          EXPECT_TRUE(close(m, md));
        }
      });
  set_thread_count(before);
}

// By hand, two steps with g = 1, lr = 1, momentum 1/2: plain moves 1 then 1.5; Nesterov 1.5 then 1.75.
TEST(SgdKernel, momentum_by_hand) {
  const Values<> lr{1}, g{1};
  for (const bool nesterov : {false, true})
    for_each_impl(sgd_registry(), SgdSpec{.n = 1}, [&](const SgdImpl& impl, const Exec& exec) {
      Values<> p{0}, m{0};
      for (int i = 0; i < 2; ++i)
        impl.step(exec, {.n = 1, .momentum = 0.5, .nesterov = nesterov}, lr.data(), nullptr, p.data(), g.data(),
                  m.data());
      EXPECT_EQ(p[0], nesterov ? -3.25f : -2.5f);
    });
}

}  // namespace
}  // namespace kern::kernels
