#include <gtest/gtest.h>

#include "engine/ops/operators.h"
#include "engine/ops/sum.h"
#include "tests/support/gradient_check.h"

namespace kern::operators_test {
using kern::testing::check_gradients, kern::testing::random_tensor;
using Floats = std::vector<float>;

TEST(Operators, are_what_is_written) {
  const Tensor a = Tensor::from({2, 2}, Floats{1, 2, 3, 4}), b = Tensor::from({2, 2}, Floats{5, 7, 11, 13}),
               v = Tensor::from({2}, Floats{10, 20});
  EXPECT_EQ((a + b).values(), (Floats{6, 9, 14, 17}));
  EXPECT_EQ((b - a).values(), (Floats{4, 5, 8, 9}));
  EXPECT_EQ((a * b).values(), (Floats{5, 14, 33, 52}));
  EXPECT_EQ((a + v).values(), (Floats{11, 22, 13, 24}));
  EXPECT_EQ((a - v).values(), (Floats{-9, -18, -7, -16}));
  EXPECT_EQ((a * v).values(), (Floats{10, 40, 30, 80}));
  EXPECT_EQ((-a).values(), (Floats{-1, -2, -3, -4}));
  EXPECT_EQ((a + 1).values(), (1 + a).values());
  EXPECT_EQ((a - 1).values(), (Floats{0, 1, 2, 3}));
  EXPECT_EQ((1 - a).values(), (Floats{0, -1, -2, -3}));
  EXPECT_EQ((2 * a - a * 3).values(), (Floats{-1, -2, -3, -4}));
  EXPECT_EQ((a / 2).values(), (Floats{0.5f, 1, 1.5f, 2}));
}

TEST(Operators, have_gradients) {
  check_gradients({random_tensor({3, 4}, 1), random_tensor({3, 4}, 2), random_tensor({4}, 3)}, [](const auto& x) {
    return (x[0] - x[1]) * (x[0] + x[2]) - 2 * x[1] * x[2] + (1 - x[0]) / 4 - (-x[1]) * 0.5f + (x[0] - 3) -
           (x[1] - x[2]);
  });
}

}  // namespace kern::operators_test
