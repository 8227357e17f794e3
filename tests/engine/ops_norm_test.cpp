#include "engine/ops/instance_norm.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

TEST(InstanceNorm, gradients) {
  check_gradients([](const std::vector<Tensor>& in) { return instance_norm(in[0]); }, {random_tensor({2, 5, 3}, 1)});
  auto affine = [](const std::vector<Tensor>& in) { return instance_norm(in[0], in[1], in[2], 1e-3f); };
  check_gradients(affine, {random_tensor({2, 3, 2, 3}, 1), random_tensor({3}, 2), random_tensor({3}, 3)});
  check_gradients(affine, {pitched(random_tensor({2, 6, 3}, 1)), random_tensor({3}, 2), random_tensor({3}, 3)});
}

TEST(InstanceNorm, normalises_each_channel_of_each_sample_into_a_slot) {
  const int64_t widths[] = {1, 2};
  const std::vector<Tensor> slots = Tensor::channel_slots({1, 4}, widths);
  const Tensor x = Tensor::from({1, 4, 2}, std::vector<float>{1, 10, 1, 30, 3, 10, 3, 30});
  const Tensor y = instance_norm(x, {}, {}, 0, slots[1]);
  EXPECT_EQ(y.values(), (std::vector<float>{-1, -1, -1, 1, 1, -1, 1, 1}));
  EXPECT_EQ(y.pitch(), 3);
}

TEST(InstanceNorm, wrong_shapes_are_sentences) {
  EXPECT_EQ(error_sentence([] { instance_norm(Tensor::zeros({2, 1, 3})); }).substr(0, 79),
            "instance_norm: statistics over one position are meaningless, input is [2,1,3]; ");
  EXPECT_EQ(error_sentence([] { instance_norm(Tensor::zeros({2, 3})); }), "instance_norm: input must be [N,L,C] or [N,H,W,C], got [2,3]");
  EXPECT_EQ(error_sentence([] { instance_norm(Tensor::zeros({2, 4, 3}), Tensor::zeros({2})); }), "instance_norm: weight must be [3], got [2]");
}

}  // namespace
}  // namespace kern
