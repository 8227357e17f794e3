// softmax and log_softmax: the same arguments, so one set of tests.
#include "kernels/softmax/softmax.h"

#include "kernels/softmax/log_softmax.h"
#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SoftmaxSpec{.c = 5}.x_pitch() == 5 && SoftmaxSpec{.c = 5, .pitch = {.dy = 8}}.dy_pitch() == 8);

template <class Op>
struct SoftmaxKernels : ::testing::Test {};
using Ops = ::testing::Types<Softmax, LogSoftmax>;
struct Names {
  template <class Op>
  static std::string GetName(int) {
    return Op::kName;
  }
};
TYPED_TEST_SUITE(SoftmaxKernels, Ops, Names);

TYPED_TEST(SoftmaxKernels, complete) {
  std::vector<OpCase<TypeParam>> cases;
  for (const SoftmaxSpec& g : {SoftmaxSpec{.rows = 37, .c = 5},
                               {.rows = 5, .c = 1},
                               {.rows = 0, .c = 3},
                               {.rows = 9001, .c = 5},
                               {.rows = 9003, .c = 2},
                               {.rows = 21, .c = 2},
                               {.rows = 21, .c = 2, .pitch = {.x = 3, .y = 4, .dx = 2, .dy = 5}},
                               {.rows = 3, .c = 1500},
                               {.rows = 7, .c = 35},
                               {.rows = 9, .c = 4, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}}}) {
    cases.push_back({g});
    cases.push_back({g, {{"x", {992, 1008}}}});
  }
  check_op<TypeParam>(cases, {.reference = 1e-4});
}

// Dense rows of two are taken another way by the CPU: neighbours in a vector instead of lanes.
TYPED_TEST(SoftmaxKernels, rows_of_two_have_the_bits_of_those_with_a_pitch) {
  const SoftmaxSpec dense{.rows = 8233, .c = 2},
      apart{.rows = 8233, .c = 2, .pitch = {.x = 3, .y = 3, .dx = 3, .dy = 3}};
  const auto x = Array<>::uniform(dense.rows, 2, 2, 1, -8, 8), dy = Array<>::uniform(dense.rows, 2, 2, 2);
  Array<> x3(dense.rows, 2, 3), dy3(dense.rows, 2, 3);
  for (int64_t i = 0; i < dense.rows; ++i)
    for (int64_t c = 0; c < 2; ++c) {
      x3.data()[3 * i + c] = x.data()[2 * i + c];
      dy3.data()[3 * i + c] = dy.data()[2 * i + c];
    }
  for_each_impl(TypeParam::registry(), dense, [&](const auto& impl, const Exec& exec) {
    if (impl.device != Device::cpu) return;
    Array<> y(dense.rows, 2), dx(dense.rows, 2), y3(dense.rows, 2, 3), dx3(dense.rows, 2, 3);
    impl.forward(exec, dense, {x.data(), y.data()}), impl.forward(exec, apart, {x3.data(), y3.data()});
    impl.backward(exec, dense, {dy.data(), y.data(), dx.data()});
    impl.backward(exec, apart, {dy3.data(), y3.data(), dx3.data()});
    for (int64_t i = 0; i < dense.rows; ++i)
      for (int64_t c = 0; c < 2; ++c) {
        ASSERT_EQ(y.data()[2 * i + c], y3.data()[3 * i + c]) << impl.name << " row " << i;
        ASSERT_EQ(dx.data()[2 * i + c], dx3.data()[3 * i + c]) << impl.name << " row " << i;
      }
  });
}

// A far channel has probability 0 and no NaN; a NaN spoils its row and no other.
TYPED_TEST(SoftmaxKernels, extremes) {
  const SoftmaxSpec g{.rows = 3, .c = 2};
  const float infinity = std::numeric_limits<float>::infinity();
  const Values<> x{1e30f, -1e30f, -infinity, 3, std::nanf(""), 1};
  for_each_impl(TypeParam::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> y(6);
    impl.forward(exec, g, {x.data(), y.data()});
    const bool log = std::is_same_v<TypeParam, LogSoftmax>;
    EXPECT_EQ(y[0], log ? 0 : 1);
    EXPECT_EQ(y[1], log ? -2e30f : 0);
    EXPECT_EQ(y[2], log ? -infinity : 0);
    EXPECT_EQ(y[3], log ? 0 : 1);
    EXPECT_TRUE(std::isnan(y[4]) && std::isnan(y[5]));
  });
}

}  // namespace
}  // namespace kern::kernels
