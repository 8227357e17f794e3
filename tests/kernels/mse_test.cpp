#include "kernels/loss/mse.h"

#include "tests/support/pair_loss_check.h"

namespace kern::kernels {
namespace {

static_assert(MseSpec{.rows = 4, .c = 3, .pitch = {.x = 5, .y = 6}}.exchanged().x_pitch() == 6);

TEST(MseKernel, complete) { testing::check_pair_loss(Mse{}); }

TEST(MseKernel, golden) {  // torch.nn.functional.mse_loss
  testing::expect_pair_loss(Mse{}, {1, -2, 0.5f, 3}, {0, -2, 1.25f, -1}, 4.390625f, {0.5f, 0, -0.375f, 2});
}

}  // namespace
}  // namespace kern::kernels
