#include "engine/ops/log_softmax.h"
#include "engine/ops/softmax.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

TEST(Softmax, gradients) {
  check_gradients({random_tensor({2, 3, 5}, 1, -2, 2)}, [](const std::vector<Tensor>& in) { return softmax(in[0]); });
  check_gradients({pitched(random_tensor({4, 3}, 2, -2, 2))},
                  [](const std::vector<Tensor>& in) { return softmax(softmax(in[0])); });
}

TEST(LogSoftmax, gradients) {
  check_gradients({random_tensor({2, 3, 5}, 1, -2, 2)},
                  [](const std::vector<Tensor>& in) { return log_softmax(in[0]); });
  check_gradients({pitched(random_tensor({2, 2, 2, 3}, 2, -2, 2))},
                  [](const std::vector<Tensor>& in) { return log_softmax(in[0]); });
}

TEST(Softmax, writes_into_a_slot) {
  const int64_t widths[] = {1, 2};
  const std::vector<Tensor> slices = Tensor::empty_channel_slices({3}, widths);
  const Tensor y = softmax(Tensor::full({3, 2}, 5), slices[1]);
  EXPECT_EQ(y.values(), std::vector<float>(6, 0.5f));
  EXPECT_EQ(y.pitch(), 3);
}

TEST(Softmax, no_channels_is_a_sentence) {
  EXPECT_EQ(error_of([] { log_softmax(Tensor::zeros({2, 0})); }), "log_softmax: input must have channels, got [2,0]");
}

}  // namespace
}  // namespace kern
