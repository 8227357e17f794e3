// Where a tensor is used several times, a convolution on a GPU adds its gradient to what the others gave: the sums are
// those of a pass of its own.
#include <gtest/gtest.h>

#include <functional>

#include "engine/autograd.h"
#include "engine/gpu.h"
#include "engine/ops/add.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/slice.h"
#include "engine/ops/sum.h"
#include "engine/ops/unary.h"
#include "kernels/common/dispatch.h"
#include "kernels/elementwise/binary.h"

namespace kern {
namespace given_gradients {

Tensor whole(const Shape& shape, int seed, Device device) {
  Tensor t = Tensor::empty(shape);
  float* to = t.mutate();
  for (int64_t i = 0; i < t.size(); ++i) to[i] = float((int(i) * 7 + seed * 5) % 7 - 3);
  return t.to(device);
}
constexpr Conv2dOptions kSame{.padding = {1, 1, 1, 1}};

// loss(h, a filter of h's channels) of h = 2 x; x's gradient is the same on either device, where every sum is exact,
// and is got with so many additions of gradients on the GPU.
void expect_same(int64_t channels, size_t additions, const std::function<Tensor(const Tensor&, const Tensor&)>& loss) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  std::vector<float> of_device[2];
  for (const Device device : {Device::cpu, Device::cuda}) {
    Tensor x = whole({2, 5, 6, channels}, 1, device);
    x.require_grad();
    const Tensor w = whole({channels, 3, 3, channels}, 2, device), y = loss(affine(x, 2), w);
    const kernels::SpecLog log;
    backward(sum(y));
    size_t adds = 0;
    for (const auto& entry : log.entries()) adds += entry.spec.type() == typeid(kernels::BinarySpec);
    EXPECT_EQ(adds, device == Device::cpu ? adds : additions);
    of_device[int(device)] = x.grad().values();
  }
  EXPECT_EQ(of_device[0], of_device[1]);
}

TEST(GivenGradients, of_a_residual) {
  expect_same(3, 0, [](const Tensor& h, const Tensor& w) { return add(conv2d(h, w, {}, kSame), h); });
}
TEST(GivenGradients, on_tensor_cores) {
  expect_same(16, 0, [](const Tensor& h, const Tensor& w) { return add(conv2d(h, w, {}, kSame), h); });
}
TEST(GivenGradients, of_two_convolutions_and_a_sum) {
  expect_same(4, 0, [](const Tensor& h, const Tensor& w) {
    const Tensor down = sum(conv2d(h, w, {}, {.stride = {2, 2}, .padding = {1, 1, 1, 1}}));
    const Tensor same = sum(conv2d(h, w, {}, kSame)), own = sum(h);
    return add(down, add(same, own));
  });
}
// What came before lies in a slice of a wider tensor.
TEST(GivenGradients, of_a_skip_connection) {
  expect_same(4, 0, [](const Tensor& h, const Tensor& w) {
    const Tensor deep = conv2d(h, w, {}, kSame);
    return conv2d(concat({h, deep}), concat({w, w}), {}, kSame);
  });
}
// The convolution is the first to give: then another op comes, and adds in a pass of its own.
TEST(GivenGradients, before_another_op) {
  expect_same(4, 1, [](const Tensor& h, const Tensor& w) {
    const Tensor twice = affine(h, 2);
    return add(twice, conv2d(h, w, {}, kSame));
  });
}
TEST(GivenGradients, a_gradient_that_others_see_is_not_written_to) {
  // h's gradient is first the alias of dy that the other summand gets too.
  expect_same(4, 0, [](const Tensor& h, const Tensor& w) {
    const Tensor inner = conv2d(h, w, {}, kSame), first = add(inner, h);
    return add(first, conv2d(first, w, {}, kSame));
  });
}

}  // namespace given_gradients
}  // namespace kern
