#include "kernels/loss/l1.h"

#include "tests/support/pair_loss_check.h"

namespace kern::kernels {
namespace {

TEST(L1Kernel, complete) { testing::check_pair_loss(L1{}); }

TEST(L1Kernel, golden) {  // torch.nn.functional.l1_loss
  testing::expect_pair_loss(L1{}, {1, -2, 0.5f, 3}, {0, -2, 1.25f, -1}, 1.4375f, {0.25f, 0, -0.25f, 0.25f});
}

}  // namespace
}  // namespace kern::kernels
