#include "layers/norm_act.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/mul.h"
#include "engine/ops/sum.h"

namespace kern {
namespace {

class FusionOff {
 public:
  FusionOff() : before_(fusion_enabled()) { set_fusion(false); }
  ~FusionOff() { set_fusion(before_); }

 private:
  bool before_;
};

Tensor random(const Shape& shape, uint32_t which) {
  RandomSequence r(5, RandomStream::noise, which);
  Tensor t = Tensor::empty(shape);
  float* p = t.mutate();
  for (int64_t i = 0; i < t.size(); ++i) p[i] = r.normal();
  return t;
}

void expect_near(const Tensor& a, const Tensor& b, const char* what) {
  ASSERT_TRUE(a && b) << what;
  const auto va = a.values(), vb = b.values();
  ASSERT_EQ(va.size(), vb.size()) << what;
  double worst = 0;
  for (size_t i = 0; i < va.size(); ++i) {
    const double d = std::abs(double(va[i]) - double(vb[i])) / (1 + std::abs(double(vb[i])));
    if (!(d <= worst)) worst = d;
  }
  EXPECT_TRUE(worst <= 2e-5) << what << " differs by " << worst;
}

// y and every gradient of one step, with the same parameters, data and random numbers.
struct Step {
  Tensor y, dx, residual_gradient;
  std::vector<Tensor> gradients, buffers;
};
template <class Norm>
Step step_of(Norm norm, Activation act, bool with_prelu, float p, bool with_residual, const Shape& shape) {
  default_generator().set(9, 4);
  PRelu prelu{int(shape[-1]), 0.3f};
  ChannelDropout dropout(p);
  Tensor x = random(shape, 1), residual = random(shape, 2);
  x.require_grad();
  residual.require_grad();
  const int64_t widths[] = {shape[-1], 3};
  Shape leading;
  for (int i = 0; i + 1 < shape.rank(); ++i) leading.push_back(shape[i]);
  const Tensor out = Tensor::empty_channel_slices(leading, widths)[0];
  AfterNorm after{.act = act, .prelu = with_prelu ? &prelu : nullptr, .dropout = &dropout};
  if (with_residual) after.residual = residual;
  const Tensor y = norm_act(norm, after, x, out);
  EXPECT_EQ(y.data(), out.data()) << "not written into `out`";
  backward(sum(mul(y, random(shape, 3))));
  Step s{y, x.grad(), with_residual ? residual.grad() : Tensor(), {}, {}};
  for (const auto& t : named_tensors(norm))
    (t.trained ? s.gradients : s.buffers).push_back(t.trained ? t.tensor.grad() : t.tensor);
  if (with_prelu) s.gradients.push_back(prelu.weight.grad());
  return s;
}

template <class MakeNorm>
void compare(const MakeNorm& make) {
  for (const bool residual : {false, true})
    for (const float p : {0.0f, 0.5f})
      for (const int act : {0, 1, 2, 3, 4}) {
        SCOPED_TRACE(text("residual ", residual, ", dropout ", p, ", act ", act));
        const Shape shape{3, 7, 5, 6};
        constexpr Activation kActs[] = {Activation::identity, Activation::relu, Activation::identity, Activation::relu6,
                                        Activation::silu};
        const Step fused = step_of(make(), kActs[act], act == 2, p, residual, shape);
        const FusionOff off;
        const Step plain = step_of(make(), kActs[act], act == 2, p, residual, shape);
        expect_near(fused.y, plain.y, "y");
        expect_near(fused.dx, plain.dx, "dx");
        if (residual) expect_near(fused.residual_gradient, plain.residual_gradient, "residual's gradient");
        ASSERT_EQ(fused.gradients.size(), plain.gradients.size());
        for (size_t i = 0; i < fused.gradients.size(); ++i)
          expect_near(fused.gradients[i], plain.gradients[i], "gradient");
        for (size_t i = 0; i < fused.buffers.size(); ++i) expect_near(fused.buffers[i], plain.buffers[i], "buffer");
      }
}

TEST(NormAct, batch_norm_fused_equals_op_by_op) {
  compare([] { return BatchNorm({.channels = 6}); });
}
TEST(NormAct, frozen_batch_norm_fused_equals_op_by_op) {
  compare([] {
    BatchNorm norm({.channels = 6});
    norm.mode.training = false;
    norm.running_mean.fill(0.3f);
    return norm;
  });
}
TEST(NormAct, instance_norm_fused_equals_op_by_op) {
  compare([] { return InstanceNorm({.channels = 6, .affine = true}); });
}

TEST(NormAct, says_what_does_not_fit) {
  auto message = [](auto&& f) {
    try {
      f();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const Tensor x = Tensor::zeros({2, 3, 4});
  EXPECT_NE(message([&] {
              norm_act(x, {.residual = Tensor::zeros({2, 3, 5})}, {.per_sample = true});
            }).find("the residual must be [2,3,4], got [2,3,5]"),
            std::string::npos);
  EXPECT_NE(message([&] { norm_act(x, {}, {.act = Activation::prelu}); }).find("a slope belongs to prelu"),
            std::string::npos);
  EXPECT_NE(message([&] { norm_act(Tensor::zeros({1, 4}), {}, {}); }).find("meaningless"), std::string::npos);
}

}  // namespace
}  // namespace kern
