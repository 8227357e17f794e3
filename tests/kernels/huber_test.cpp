#include "kernels/loss/huber.h"

#include "tests/support/pair_loss_check.h"

namespace kern::kernels {
namespace {

TEST(HuberKernel, complete) {
  for (float delta : {1.0f, 0.25f, 5.0f}) testing::check_pair_loss(Huber{delta});
}

TEST(HuberKernel, golden) {  // torch.nn.functional.huber_loss, delta = 1.5
  testing::expect_pair_loss(Huber{1.5f}, {1, -2, 0.5f, 3}, {0, -2, 1.25f, -1}, 1.4140625f,
                            {0.25f, 0, -0.1875f, 0.375f});
}

}  // namespace
}  // namespace kern::kernels
