// The algebra of tensors: broadcasting, sums and extremes along dimensions, products, reordering. Values by hand and
// against NumPy's rules; gradients against differences.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/gpu.h"
#include "engine/ops/concat.h"
#include "engine/ops/gather.h"
#include "engine/ops/matmul.h"
#include "engine/ops/max.h"
#include "engine/ops/operators.h"
#include "engine/ops/permute.h"
#include "engine/ops/reshape.h"
#include "engine/ops/slice.h"
#include "engine/ops/sum.h"
#include "tests/support/gradient_check.h"

namespace kern::algebra_test {
using kern::testing::check_gradients, kern::testing::error_of, kern::testing::pitched, kern::testing::random_tensor;
using Floats = std::vector<float>;
using Integers = std::vector<int32_t>;

Tensor count(const Shape& shape) {
  Floats v(size_t(shape.size()));
  for (size_t i = 0; i < v.size(); ++i) v[i] = float(i);
  return Tensor::from(shape, v);
}

TEST(Algebra, broadcasts_as_numpy) {
  const Tensor column = Tensor::from({2, 1}, Floats{10, 20}), row = Tensor::from({3}, Floats{1, 2, 4});
  EXPECT_EQ((column + row).values(), (Floats{11, 12, 14, 21, 22, 24}));
  EXPECT_EQ((row - column).values(), (Floats{-9, -8, -6, -19, -18, -16}));
  EXPECT_EQ((column * row).values(), (Floats{10, 20, 40, 20, 40, 80}));
  EXPECT_EQ((column / row).values(), (Floats{10, 5, 2.5f, 20, 10, 5}));
  EXPECT_EQ((1 / row).values(), (Floats{1, 0.5f, 0.25f}));
  EXPECT_EQ((row + column).shape(), (Shape{2, 3}));
  EXPECT_EQ((pitched(count({2, 3})) - pitched(row)).values(), (Floats{-1, -1, -2, 2, 2, 1}));
  const Tensor image = count({2, 2, 2, 3}), gate = count({2, 1, 1, 3});
  const Floats y = (image * gate).values();
  for (int64_t i = 0; i < 24; ++i) EXPECT_EQ(y[size_t(i)], float(i * (i / 12 * 3 + i % 3))) << i;
  EXPECT_EQ((Tensor::zeros({0, 3}) + column.reshaped({2, 1, 1})).shape(), (Shape{2, 0, 3}));
}

TEST(Algebra, says_which_shapes_do_not_fit) {
  EXPECT_EQ(error_of([] {
              count({2, 3}) - count({2, 2});
            }),
            "sub: shapes [2,3] and [2,2] do not fit; compared from the last size to the first, sizes must be equal or "
            "one of them 1");
  EXPECT_EQ(error_of([] { sum(count({2, 3}), {0, -2}); }), "sum: dimension -2 is named twice");
  EXPECT_EQ(error_of([] { max(count({2, 3}), 2); }), "max: [2,3] has no dimension 2");
  EXPECT_EQ(error_of([] { max(Tensor::zeros({2, 0}), 1); }), "max: dimension 1 of [2,0] has no values");
  EXPECT_EQ(error_of([] {
              matmul(count({2, 3}), count({2, 3}));
            }),
            "matmul: needs [...,M,K] and [...,K,N], got [2,3] and [2,3]");
  EXPECT_EQ(error_of([] { permute(count({2, 3}), {0, 0}); }), "permute: dimension 0 is named twice");
  EXPECT_EQ(error_of([] {
              broadcast_to(count({2, 3}), {2, 1});
            }),
            "broadcast_to: [2,3] cannot be repeated to [2,1]; only sizes of 1 are repeated");
  EXPECT_EQ(error_of([] { take(count({2, 3}), 0, count({2})); }), "take: the index must be i32, got f32");
  EXPECT_EQ(error_of([] {
              split(count({2, 3}), 1, {1, 1});
            }),
            "split: sizes that add up to 2 do not make dimension 1 of [2,3]");
  EXPECT_EQ(error_of([] { maximum(1, 2); }), "maximum: one side must be a tensor");
  EXPECT_EQ(error_of([] { clamp(count({2}), 2, 1); }), "clamp: the lower limit 2 is above the upper one, 1");
}

TEST(Algebra, compares_and_chooses) {
  const Tensor a = Tensor::from({4}, Floats{1, 2, 3, NAN}), b = Tensor::from({4}, Floats{2, 2, 2, 2});
  EXPECT_EQ(less(a, b).values(), (Floats{1, 0, 0, 0}));
  EXPECT_EQ(less_equal(a, 2).values(), (Floats{1, 1, 0, 0}));
  EXPECT_EQ(greater(a, 2).values(), (Floats{0, 0, 1, 0}));
  EXPECT_EQ(greater_equal(a, b).values(), (Floats{0, 1, 1, 0}));
  EXPECT_EQ(equal(2, a).values(), (Floats{0, 1, 0, 0}));
  EXPECT_EQ(not_equal(a, b).values(), (Floats{1, 0, 1, 1}));
  EXPECT_EQ(where(equal(a, a), a, 0).values(), (Floats{1, 2, 3, 0}));  // NaN is not equal to itself
  EXPECT_EQ(where(Tensor::from({2, 1}, Floats{1, 0}), count({2}), -1).values(), (Floats{0, 1, -1, -1}));
  EXPECT_EQ(slice(maximum(a, 2), 0, 0, 3).values(), (Floats{2, 2, 3}));
  EXPECT_EQ(slice(minimum(2, a), 0, 0, 3).values(), (Floats{1, 2, 2}));
  EXPECT_EQ(clamp(count({4}), 1, 2).values(), (Floats{1, 1, 2, 2}));
}

TEST(Algebra, sums_and_means_along_dimensions) {
  const Tensor x = count({2, 3, 2});
  EXPECT_EQ(sum(x, {1}).values(), (Floats{6, 9, 24, 27}));
  EXPECT_EQ(sum(x, {0, 2}).values(), (Floats{14, 22, 30}));
  EXPECT_EQ(sum(x, {0, 2}, true).shape(), (Shape{1, 3, 1}));
  EXPECT_EQ(sum(x, {0, 1, 2}).values(), (Floats{66}));
  EXPECT_EQ(mean(x, {-1}).values(), (Floats{0.5f, 2.5f, 4.5f, 6.5f, 8.5f, 10.5f}));
  EXPECT_EQ(mean(pitched(x), {0, -1}).values(), (Floats{3.5f, 5.5f, 7.5f}));
  EXPECT_EQ(sum(x, std::vector<int>{}).values(), x.values());
  EXPECT_EQ(cumsum(x, 1).values(), (Floats{0, 1, 2, 4, 6, 9, 6, 7, 14, 16, 24, 27}));
}

TEST(Algebra, extremes_along_dimensions) {
  const Tensor x = Tensor::from({2, 3}, Floats{3, 7, 7, -1, -5, -2});
  EXPECT_EQ(max(x, 1).values(), (Floats{7, -1}));
  EXPECT_EQ(argmax(x, 1).integers(), (Integers{1, 0}));
  EXPECT_EQ(min(x, 0).values(), (Floats{-1, -5, -2}));
  EXPECT_EQ(argmin(x, -1, true).shape(), (Shape{2, 1}));
  Tensor leaf = x.clone();
  leaf.require_grad();
  sum(max(leaf, 1)).backward();
  EXPECT_EQ(leaf.grad().values(), (Floats{0, 1, 0, 1, 0, 0})) << "the first of equal ones";
}

TEST(Algebra, products_of_matrices) {
  EXPECT_EQ(matmul(count({2, 3}), count({3, 2})).values(), (Floats{10, 13, 28, 40}));
  const Tensor a = count({2, 2, 3}), b = count({2, 3, 1});
  EXPECT_EQ(matmul(a, b).values(), (Floats{5, 14, 86, 122}));
  EXPECT_EQ(matmul(count({2, 3}), b).values(), (Floats{5, 14, 14, 50}));
  EXPECT_EQ(matmul(a, count({3, 1})).shape(), (Shape{2, 2, 1}));
  EXPECT_EQ(matmul(pitched(count({2, 3})), count({3, 2})).values(), (Floats{10, 13, 28, 40}));
}

TEST(Algebra, reorders) {
  const Tensor x = count({2, 3});
  EXPECT_EQ(transpose(x).values(), (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(permute(count({2, 1, 3}), {2, 0, 1}).shape(), (Shape{3, 2, 1}));
  EXPECT_EQ(flip(x, 0).values(), (Floats{3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(flip(pitched(x), -1).values(), (Floats{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(broadcast_to(count({2, 1}), {2, 2, 2}).values(), (Floats{0, 0, 1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(take(x, 1, Tensor::from({4}, Integers{2, 0, 0, 1})).values(), (Floats{2, 0, 0, 1, 5, 3, 3, 4}));
  EXPECT_EQ(gather(x, 0, Tensor::from({1, 3}, Integers{1, 0, 1})).values(), (Floats{3, 1, 5}));
  EXPECT_TRUE(std::isnan(take(x, 0, Tensor::from({1}, Integers{2})).values()[0])) << "outside";
  EXPECT_EQ(concat({x, x}, 0).shape(), (Shape{4, 3}));
  EXPECT_EQ(concat({x, slice(x, 1, 0, 1)}, 1).values(), (Floats{0, 1, 2, 0, 3, 4, 5, 3}));
  EXPECT_EQ(stack({x, x}, 1).values(), (Floats{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}));
  EXPECT_EQ(stack({x, x}, -1).shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(split(x, 1, {2, 1})[1].values(), (Floats{2, 5}));
}

TEST(Algebra, gradients) {
  const Tensor a = random_tensor({2, 3, 4}, 1, 0.5f, 2), b = random_tensor({3, 1}, 2, 0.5f, 2),
               c = random_tensor({2, 1, 4}, 3, -1, 1);
  check_gradients({a, b, c}, [](const auto& x) { return (x[0] - x[2]) / x[1] + x[2] * x[1]; });
  check_gradients({a, b}, [](const auto& x) { return sqrt(x[0]) * pow(x[1], 1.5f) + reciprocal(x[0]) - square(x[1]); });
  check_gradients({a, c}, [](const auto& x) { return maximum(x[0], x[1]) + minimum(x[0], abs(x[1])); },
                  {.step = 1e-3f});
  check_gradients({a, c}, [](const auto& x) { return where(greater(x[0], 1), x[0] * x[1], x[1]); }, {.step = 1e-3f});
  check_gradients({a}, [](const auto& x) { return sum(x[0] * x[0], {0, 2}, true) / mean(x[0], {1}, true); });
  check_gradients({a}, [](const auto& x) { return cumsum(x[0] * x[0], 1); });
  check_gradients({a}, [](const auto& x) { return max(x[0], 1) - min(x[0], 1, false); }, {.step = 1e-3f});
  check_gradients({a, random_tensor({4, 2}, 4)}, [](const auto& x) { return matmul(x[0], x[1]); });
  check_gradients({random_tensor({3, 4}, 5), random_tensor({2, 4, 2}, 6)},
                  [](const auto& x) { return matmul(x[0], x[1]); });
  check_gradients({a}, [](const auto& x) { return permute(x[0] * x[0], {2, 0, 1}); });
  check_gradients({b}, [](const auto& x) { return flip(broadcast_to(x[0], {2, 3, 4}), 1); });
  const Tensor rows = Tensor::from({4}, Integers{2, 0, 2, 1});
  check_gradients({a}, [&](const auto& x) { return take(x[0] * x[0], 1, rows); });
  check_gradients({a}, [](const auto& x) { return gather(x[0], 2, argmax(x[0], 2, true)); }, {.step = 1e-3f});
  check_gradients({a, random_tensor({2, 1, 4}, 7)}, [](const auto& x) {
    return concat({x[0], x[1], slice(x[0], 1, 1, 2)}, 1);
  });
  check_gradients({a, a.clone()}, [](const auto& x) { return stack({x[0], x[1]}, 2); });
}

// A loss of ten lines is the loss that has kernels of its own.
TEST(Algebra, a_loss_of_tensors) {
  Tensor logits = random_tensor({2, 5, 3}, 1);
  const Tensor target = Tensor::from({2, 5}, Integers{0, 1, 2, 2, 1, 0, 0, 1, 2, 1});
  check_gradients({logits}, [&](const auto& x) {
    const Tensor shifted = x[0] - max(x[0], -1, true);
    const Tensor log_p = shifted - log(sum(exp(shifted), {-1}, true));
    return -1 * mean(gather(log_p, -1, target.reshaped({2, 5, 1})));
  });
}

TEST(AlgebraOnGpu, is_what_it_is_on_the_cpu) {
  if (!gpu_available()) GTEST_SKIP() << "needs a GPU";
  const auto all = [](const Tensor& a, const Tensor& b, const Tensor& index) {
    const Tensor y = where(greater(a, b), a / b, minimum(a, 0.25f) - b) + pow(abs(a) + 0.5f, 1.25f);
    const Tensor z = matmul(transpose(y), cumsum(y, 1));
    return sum(max(z, 1, true) * mean(z, {0, 2}, true)) + sum(take(flip(y, 1), 1, index) * clamp(b, 0.6f, 1.5f));
  };
  Floats values[2], gradients[2];
  for (const Device device : {Device::cpu, Device::cuda}) {
    Tensor a = random_tensor({2, 3, 4}, 1).to(device), b = random_tensor({3, 1}, 2, 0.5f, 2).to(device);
    if (device == Device::cpu) a = a.clone(), b = b.clone();
    a.require_grad(), b.require_grad();
    const Tensor y = all(a, b, Tensor::from({3}, Integers{2, 0, 2}).to(device));
    y.backward();
    values[int(device)] = y.values();
    for (const Tensor& t : {a, b})
      for (float v : t.grad().values()) gradients[int(device)].push_back(v);
  }
  EXPECT_NEAR(values[0][0], values[1][0], 1e-5 * std::abs(values[0][0]));
  ASSERT_EQ(gradients[0].size(), gradients[1].size());
  for (size_t i = 0; i < gradients[0].size(); ++i)
    EXPECT_NEAR(gradients[0][i], gradients[1][i], 2e-5 * (1 + std::abs(gradients[0][i]))) << i;
}

}  // namespace kern::algebra_test
