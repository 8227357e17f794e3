// add, mul, scale and concat: wiring of one and more inputs, and outputs inside a shared buffer.
#include "engine/ops/add.h"
#include "engine/ops/concat.h"
#include "engine/ops/mul.h"
#include "engine/ops/unary.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;
using Floats = std::vector<float>;

TEST(Add, gradients_of_equal_shapes_of_a_vector_and_of_one_input_twice) {
  check_gradients({random_tensor({2, 3, 4}, 1), random_tensor({2, 3, 4}, 2)},
                  [](const auto& x) { return add(x[0], x[1]); });
  check_gradients({random_tensor({2, 3, 4}, 1), random_tensor({4}, 2)}, [](const auto& x) { return add(x[0], x[1]); });
  check_gradients({random_tensor({5, 4}, 1)}, [](const auto& x) { return add(add(x[0], x[0]), x[0]); });
}

TEST(Add, writes_into_a_slot_and_reads_pitched_inputs) {
  const auto slices = Tensor::empty_channel_slices({3}, std::vector<int64_t>{2, 2});
  Tensor a = Tensor::from({3, 2}, Floats{1, 2, 3, 4, 5, 6}), b = Tensor::from({2}, Floats{10, 20});
  a.require_grad();
  b.require_grad();
  const Tensor y = add(a, b, slices[1]);
  EXPECT_EQ(y.values(), (Floats{11, 22, 13, 24, 15, 26}));
  EXPECT_EQ(y.pitch(), 4);
  const Tensor z = add(y, y.detach());
  EXPECT_EQ(z.values(), (Floats{22, 44, 26, 48, 30, 52}));
  backward(z, Tensor::full(z.shape(), 1));
  EXPECT_EQ(a.grad().values(), (Floats(6, 1)));
  EXPECT_EQ(b.grad().values(), (Floats{3, 3}));
}

TEST(Add, shapes_that_do_not_fit_are_a_sentence) {
  EXPECT_EQ(
      error_of([] {
        add(Tensor::zeros({2, 3}), Tensor::zeros({2}));
      }),
      "add: shapes [2,3] and [2] do not fit; compared from the last size to the first, sizes must be equal or one of "
      "them 1");
}

TEST(Concat, of_neighbours_is_free_and_of_others_a_copy) {
  const auto slices = Tensor::empty_channel_slices({2, 2}, std::vector<int64_t>{1, 2});
  const Tensor a = relu(Tensor::from({2, 2, 1}, Floats{1, 2, 3, 4}), slices[0]);
  const Tensor b = relu(Tensor::from({2, 2, 2}, Floats{5, 6, 7, 8, 9, 10, 11, 12}), slices[1]);
  const Floats expected{1, 5, 6, 2, 7, 8, 3, 9, 10, 4, 11, 12};
  const uint64_t live = memory_counters().live;
  const Tensor free = concat({a, b});
  EXPECT_EQ(memory_counters().live, live);
  EXPECT_EQ(free.data(), a.data());
  EXPECT_EQ(free.values(), expected);
  EXPECT_EQ(concat({a.clone(), b}).values(), expected);
  EXPECT_EQ(concat({a.clone(), b.clone()}).values(), expected);
  EXPECT_EQ(concat({b, a}).values(), (Floats{5, 6, 1, 7, 8, 2, 9, 10, 3, 11, 12, 4}));
}

TEST(Concat, gradients_with_and_without_slots_and_of_one_input_twice) {
  check_gradients({random_tensor({2, 3, 4}, 1), random_tensor({2, 3, 1}, 2), random_tensor({2, 3, 2}, 3)},
                  [](const auto& x) {
                    return concat({x[0], x[1], x[2]});
                  });
  check_gradients({random_tensor({4, 3}, 1, 2, 4), random_tensor({4, 2}, 2, 2, 4)}, [](const auto& x) {
    const auto slices = Tensor::empty_channel_slices({4}, std::vector<int64_t>{3, 2});
    return relu(concat({relu(x[0], slices[0]), relu(x[1], slices[1])}));
  });
  check_gradients({random_tensor({4, 3}, 1)}, [](const auto& x) {
    return add(concat({x[0], x[0]}), Tensor::full({6}, 1));
  });
}

TEST(Concat, what_does_not_fit_is_a_sentence) {
  EXPECT_EQ(error_of([] {
              concat({Tensor::zeros({2, 3}), Tensor::zeros({3, 3})});
            }),
            "concat: [2,3] f32 and [3,3] f32 do not fit side by side; all sizes but the last must be equal");
  EXPECT_EQ(error_of([] { concat({}); }), "concat: needs at least one tensor");
}

TEST(Mul, gradients_of_equal_shapes_of_a_vector_of_one_input_twice_and_of_slots) {
  check_gradients({random_tensor({2, 3, 4}, 1), random_tensor({2, 3, 4}, 2)},
                  [](const auto& x) { return mul(x[0], x[1]); });
  check_gradients({random_tensor({2, 3, 4}, 1), random_tensor({4}, 2)}, [](const auto& x) { return mul(x[0], x[1]); });
  check_gradients({random_tensor({5, 4}, 1)}, [](const auto& x) { return mul(mul(x[0], x[0]), x[0]); });
  check_gradients({random_tensor({5, 2}, 1), random_tensor({5, 2}, 2)}, [](const auto& x) {
    const auto slices = Tensor::empty_channel_slices({5}, std::vector<int64_t>{2, 2});
    const Tensor a = affine(x[0], 2, 1, slices[0]), b = mul(a, x[1], slices[1]);
    return concat({mul(a, b), mul(b, a)});
  });
  EXPECT_EQ(error_of([] {
              mul(Tensor::zeros({2, 3}), Tensor::zeros({3, 2}));
            }).substr(0, 42),
            "mul: shapes [2,3] and [3,2] do not fit; co");
}

TEST(Affine, values_and_gradients) {
  EXPECT_EQ(affine(Tensor::from({2}, Floats{1, -2}), 3, 0.5f).values(), (Floats{3.5f, -5.5f}));
  check_gradients({random_tensor({2, 3}, 1)}, [](const auto& x) { return affine(x[0], -0.5f, 2); });
}

}  // namespace
}  // namespace kern
