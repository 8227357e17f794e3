#include "training/segmentation_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/error.h"
#include "layers/conv2d.h"
#include "training/report/svg.h"
#include "training/segmentation.h"

namespace kern::training {
namespace {

// A network whose logits are its input.
struct Same {
  Tensor operator()(const Tensor& x) const { return x; }
  template <class V>
  void visit(V&&) {}
};

double loss_of(const LossOptions& o, int classes, std::vector<float> weights, const Tensor& x,
               const std::vector<int32_t>& t) {
  const SegmentationLoss loss(o, classes, std::move(weights), Device::cpu);
  return loss(AnyModule(Same{}), x, Tensor::from({1, int64_t(t.size())}, t)).item();
}

TEST(ClassWeights, weigh_by_the_share_of_a_class) {
  const std::vector<int64_t> counts{64, 32, 4, 0};  // inverse: 100 / (4 x count)
  EXPECT_EQ(class_weights(ClassWeights::none, counts), (std::vector<float>{1, 1, 1, 1}));
  EXPECT_EQ(class_weights(ClassWeights::complement, counts), (std::vector<float>{0.36f, 0.68f, 0.96f, 1}));
  EXPECT_EQ(class_weights(ClassWeights::inverse, counts), (std::vector<float>{0.390625f, 0.78125f, 6.25f, 0}));
  const std::vector<float> root = class_weights(ClassWeights::inverse_root, counts);
  ASSERT_EQ(root.size(), 4u);
  EXPECT_FLOAT_EQ(root[0], 0.625f);
  EXPECT_FLOAT_EQ(root[1], 0.88388348f);
  EXPECT_FLOAT_EQ(root[2], 2.5f);
  EXPECT_EQ(root[3], 0);
}

TEST(SegmentationLoss, BceOfOneLogitIsCrossEntropyOfTwo) {
  const Tensor one = Tensor::from({1, 3, 1}, std::vector<float>{0.5f, -2.0f, 1.0f});
  const Tensor two = Tensor::from({1, 3, 2}, std::vector<float>{0, 0.5f, 0, -2, 0, 1});
  const std::vector<int32_t> t{1, 0, -1};
  EXPECT_NEAR(loss_of({.terms = {{"bce", 1}}}, 2, {}, one, t), loss_of({}, 2, {}, two, t), 1e-6);
  // Weighted: the mean over the pixels of weight times loss.
  const double a = std::log1p(std::exp(-0.5)), b = std::log1p(std::exp(-2.0));
  EXPECT_NEAR(loss_of({.terms = {{"bce", 1}}}, 2, {0.5f, 3}, one, t), (3 * a + 0.5 * b) / 2, 1e-5);
}

TEST(SegmentationLoss, BalancedBceIsOfOneOutputAndOfTwoClasses) {
  const Tensor x = Tensor::from({1, 4, 1}, std::vector<float>{0, 0, 0, 0});
  const LossOptions o{.terms = {{"balanced_bce", 2}}};
  EXPECT_EQ(SegmentationLoss(o, 2, {}, Device::cpu).outputs(), 1);
  EXPECT_NEAR(loss_of(o, 2, {}, x, {1, 0, 0, 0}), 2 * std::log(2.0) * (0.75 + 3 * 0.25) / 4, 1e-6);
  EXPECT_THROW(SegmentationLoss(o, 3, {}, Device::cpu), Error);
  EXPECT_THROW(SegmentationLoss({.terms = {{"ce", 1}, {"balanced_bce", 1}}}, 2, {}, Device::cpu), Error);
}

TEST(SegmentationLoss, TermsAreSummedByTheirWeights) {
  const Tensor x = Tensor::from({1, 2, 3}, std::vector<float>{1, 2, -1, 0, 0.5f, 2});
  const std::vector<int32_t> t{0, 2};
  const double ce = loss_of({}, 3, {}, x, t), dice = loss_of({.terms = {{"dice", 1}}}, 3, {}, x, t);
  EXPECT_NEAR(loss_of({.terms = {{"ce", 2}, {"dice", 0.5}, {"focal", 0}}}, 3, {}, x, t), 2 * ce + 0.5 * dice, 1e-5);
}

TEST(SegmentationLoss, Base64OfTheStandard) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace kern::training
