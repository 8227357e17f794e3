// UniMatch: its loss put together by hand from the same network, and where gradients go.
#include "training/unimatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/ops/cross_entropy.h"
#include "engine/ops/labels.h"
#include "engine/ops/pseudo_labels.h"
#include "engine/ops/softmax.h"
#include "layers/feature_dropout.h"
#include "models/table2d.h"
#include "tests/support/gradient_check.h"

namespace kern::training {
namespace {

constexpr int64_t kSide = 32;  // of mobilenet's multiple: nothing is padded
using kern::testing::random_tensor;

AnyModule network(const std::string& name, int out = 3) {
  set_seed(3);
  models::Image2dConfig c{.out = out};
  if (name == "unet") c.channels = {4, 6};
  if (name == "vgg16_unet") c.channels = {4, 4, 6, 6};
  if (name == "mobilenet_unet") c.channels = {4, 4, 6, 6};
  if (name == "mobilenet_fpn") c.channels = {6, 4};
  return models::make_image2d_model(name, c);
}
Tensor labels_of_chance(uint32_t seed, int classes, bool gaps) {
  const std::vector<float> v = random_tensor({2, kSide, kSide}, seed, 0, 1).values();
  std::vector<int32_t> out;
  for (const float p : v) out.push_back(gaps && p > 0.9f ? -1 : std::min(classes - 1, int(p * float(classes))));
  return Tensor::from({2, kSide, kSide}, std::span<const int32_t>(out));
}
// The origin of a view that is moved by three columns.
Tensor moved() {
  std::vector<int32_t> origin;
  for (int n = 0; n < 2; ++n)
    for (int64_t y = 0; y < kSide; ++y)
      for (int64_t x = 0; x < kSide; ++x) origin.push_back(x < 3 ? -1 : int32_t(y * kSide + x - 3));
  return Tensor::from({2, kSide, kSide}, std::span<const int32_t>(origin));
}
LabelledBatch labelled(int classes = 3) {
  return {random_tensor({2, kSide, kSide, 3}, 1, 0, 1), labels_of_chance(2, classes, true)};
}
UnlabelledBatch unlabelled() {
  return {.x = random_tensor({2, kSide, kSide, 3}, 3, 0, 1),
          .present = labels_of_chance(4, 1, true),
          .strong = random_tensor({2, kSide, kSide, 3}, 5, 0, 1),
          .origin = moved(),
          .strong2 = random_tensor({2, kSide, kSide, 3}, 7, 0, 1),
          .origin2 = {},
          .truth = labels_of_chance(6, 3, true)};
}
Optimiser adam(const AnyModule& net) { return Optimiser({{.parameters = net.parameters()}}, AdamOptions{}, 1e-2); }
Tensor weight_of(double value) { return Tensor::full({1}, float(value)); }

// sum over positions that have a target of -log softmax / positions that take part
double term(const AnyModule& net, const Tensor& view, const Tensor& target, const Tensor& present) {
  const NoGrad off;
  const std::vector<float> p = softmax(net(view)).values();
  const std::vector<int32_t> t = target.integers(), there = present.integers();
  const size_t classes = p.size() / t.size();
  double sum = 0, count = 0;
  for (size_t i = 0; i < t.size(); ++i) {
    if (t[i] >= 0) sum -= std::log(double(p[i * classes + size_t(t[i])]));
    count += there[i] >= 0;
  }
  return sum / count;
}

TEST(UniMatch, is_the_sum_of_its_four_terms) {
  const AnyModule net = network("unet");
  const LabelledBatch l = labelled();
  const UnlabelledBatch u = unlabelled();
  PseudoLabels said;
  double threshold = 0;  // half of the positions are surer
  {
    const NoGrad off;
    net.set_training(false);
    const Tensor q = softmax(net(u.x));
    const std::vector<float> all = q.values();
    std::vector<float> largest;
    for (size_t i = 0; i < all.size(); i += 3) largest.push_back(std::max({all[i], all[i + 1], all[i + 2]}));
    std::nth_element(largest.begin(), largest.begin() + std::ptrdiff_t(largest.size() / 2), largest.end());
    threshold = double(largest[largest.size() / 2]);
    said = pseudo_labels(q, u.present, u.truth, threshold);
    net.set_training(true);
  }
  EXPECT_NEAR(said.share.values()[0], 0.5, 0.1);
  const double own = cross_entropy(net(l.x), l.labels).item(),
               first = term(net, u.strong, move_labels(said.labels, u.origin), move_labels(u.present, u.origin)),
               second = term(net, u.strong2, said.labels, u.present), weak = term(net, u.x, said.labels, u.present);
  // Of a new network each time: a forward pass in training moves the running statistics, which labels depend on.
  const auto terms_of = [&](const UnlabelledBatch& batch, double w, double dropout) {
    const AnyModule same = network("unet");
    Optimiser its = adam(same);
    UniMatch method(same, its, {.threshold = threshold, .feature_dropout = dropout});
    return method.loss(l, batch, weight_of(w));
  };
  const StepTerms terms = terms_of(u, 1.5, 0);
  EXPECT_NEAR(terms.loss.item(), own + 1.5 * (0.25 * first + 0.25 * second + 0.5 * weak), 2e-5);
  EXPECT_NEAR(terms.figures[0].item(), own, 1e-5);
  EXPECT_NEAR(terms.figures[1].item(), (first + second) / 2, 1e-5);
  EXPECT_NEAR(terms.figures[2].item(), weak, 1e-5);
  EXPECT_EQ(terms.figures[3].values(), said.share.values());
  EXPECT_EQ(terms.figures[4].values(), said.accuracy.values());

  EXPECT_GT(std::abs(terms_of(u, 1, 0.5).figures[2].item() - weak), 1e-4) << "half of the channels were dropped";
  EXPECT_NEAR(terms_of(u, 1, 0).figures[2].item(), weak, 1e-5) << "nothing stays perturbed";
  UnlabelledBatch one = u;
  one.strong2 = {};
  EXPECT_NEAR(terms_of(one, 1, 0).figures[1].item(), first, 1e-5) << "a single view counts twice";
}

class UniMatchNetwork : public ::testing::TestWithParam<const char*> {};

// Every network for images perturbs what its encoder hands over, and every parameter learns from the unlabelled images
// alone.
TEST_P(UniMatchNetwork, takes_gradients_and_perturbs) {
  const AnyModule net = network(GetParam());
  Optimiser optimiser = adam(net);
  const UnlabelledBatch u = unlabelled();
  {
    const NoGrad off;
    net.set_training(false);
    const std::vector<float> plain = net(u.x).values();
    {
      const FeatureDropout perturbed(0.5f);
      EXPECT_NE(net(u.x).values(), plain);
    }
    EXPECT_EQ(net(u.x).values(), plain);
    net.set_training(true);
  }
  LabelledBatch l = labelled();
  l.labels = Tensor::from({2, kSide, kSide}, std::vector<int32_t>(size_t(2 * kSide * kSide), -1));
  UniMatch method(net, optimiser, {.threshold = 0.1});
  backward(method.loss(l, u, weight_of(1)).loss);
  std::vector<std::string> still;
  for (const NamedTensor& p : net.parameters()) {
    ASSERT_TRUE(p.tensor.grad()) << p.name;
    const std::vector<float> g = p.tensor.grad().values();
    if (std::all_of(g.begin(), g.end(), [](float v) { return v == 0; })) still.push_back(p.name);
  }
  // A bias before a norm cancels.
  for (const std::string& name : still) EXPECT_TRUE(name.ends_with("bias")) << name << " learns nothing";
  EXPECT_LT(still.size(), net.parameters().size() / 2);
}
INSTANTIATE_TEST_SUITE_P(Networks, UniMatchNetwork,
                         ::testing::Values("unet", "mobilenet_unet", "mobilenet_fpn", "vgg16_unet"),
                         [](const auto& i) { return std::string(i.param); });

TEST(UniMatch, labels_get_no_gradient_and_one_logit_is_two_classes) {
  const AnyModule net = network("unet", 1);
  Optimiser optimiser = adam(net);
  const LabelledLoss by_one = [](const AnyModule& n, const Tensor& x, const Tensor& labels) {
    return cross_entropy(class_logits(n(x)), labels);
  };
  UniMatch method(net, optimiser, {.loss = by_one, .threshold = 0.5});
  const LabelledBatch l = labelled(2);
  const StepTerms terms = method.loss(l, unlabelled(), weight_of(0));
  EXPECT_EQ(terms.loss.item(), terms.figures[0].item());
  EXPECT_FALSE(terms.figures[3].requires_grad());
  StepData data;
  data.labelled = [&] { return l; };
  data.unlabelled = [&] { return unlabelled(); };
  EXPECT_TRUE(std::isfinite(method.step(data).loss.value()));
  EXPECT_THROW(FeatureDropout(1.0f), Error);
}

}  // namespace
}  // namespace kern::training
