// The semi-supervised methods: their pieces against hand-made numbers, a step of each against PyTorch, and that they
// learn.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/model_file.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/labels.h"
#include "engine/ops/monotone_posteriors.h"
#include "engine/ops/pseudo_labels.h"
#include "engine/ops/softmax.h"
#include "models/discriminator.h"
#include "models/unet1d.h"
#include "tests/support/golden.h"
#include "tests/support/source_files.h"
#include "training/adversarial.h"
#include "training/cross_pseudo.h"
#include "training/fixmatch.h"
#include "training/mean_teacher.h"
#include "training/supervised.h"
#include "training/unimatch.h"

namespace kern::training {
namespace {

Tensor integers(const Shape& shape, const std::vector<int32_t>& values) {
  return Tensor::from(shape, std::span<const int32_t>(values));
}

TEST(Ramp, rises_from_nearly_nothing_to_one) {
  EXPECT_DOUBLE_EQ(ramp(0, 5), std::exp(-5.0));
  EXPECT_DOUBLE_EQ(ramp(2.5, 5), std::exp(-1.25));
  EXPECT_EQ(ramp(5, 5), 1);
  EXPECT_EQ(ramp(7, 5), 1);
  EXPECT_EQ(ramp(0, 0), 1);
}

// Probabilities that float holds exactly.
TEST(PseudoLabels, are_the_most_probable_classes_where_they_are_sure_enough) {
  using Floats = std::vector<float>;
  const Tensor p = Tensor::from({1, 5, 2}, Floats{0.75f, 0.25f, 0.5f, 0.5f, 0.125f, 0.875f, 1, 0, 0, 1});
  const Tensor present = integers({1, 5}, {0, 0, 0, -1, 0}), truth = integers({1, 5}, {0, 0, 0, 0, -1});
  const PseudoLabels all = pseudo_labels(p, present, truth, 0);
  EXPECT_EQ(all.labels.integers(), (std::vector<int32_t>{0, 0, 1, -1, 1}));  // of equal ones the first
  EXPECT_EQ(all.share.values(), (Floats{1, 4}));
  EXPECT_EQ(all.accuracy.values(), (Floats{2 / 3.f, 3}));
  const PseudoLabels sure = pseudo_labels(p, present, truth, 0.75);  // 0.75 does not exceed it
  EXPECT_EQ(sure.labels.integers(), (std::vector<int32_t>{-1, -1, 1, -1, 1}));
  EXPECT_EQ(sure.share.values(), (Floats{0.5f, 4}));
  EXPECT_EQ(sure.accuracy.values(), (Floats{0, 1}));
  const Tensor confidence = Tensor::from({1, 5, 1}, Floats{0.125f, 0.5f, NAN, 0.9f, 0.25f});
  const PseudoLabels evaluated = pseudo_labels(p, present, {}, 0.25, confidence);
  EXPECT_EQ(evaluated.labels.integers(), (std::vector<int32_t>{-1, 0, -1, -1, -1}));
  EXPECT_EQ(evaluated.accuracy.values(), (Floats{0, 0}));
  EXPECT_EQ(pseudo_labels(Tensor::zeros({0, 3, 2}), integers({0, 3}, {}), {}, 0).share.values(), (Floats{0, 0}));
}

// Two signals of two classes, by hand: labellings 00, 01 and 11 of what takes part.
TEST(PseudoLabels, monotone_are_posteriors_of_what_takes_part) {
  const Tensor p = Tensor::from({2, 3, 2}, std::vector<float>{0.75f, 0.25f, 0.5f, 0.5f, 0.25f, 0.75f,  //
                                                              0.25f, 0.75f, 1, 0, 0.75f, 0.25f});
  const Tensor q = monotone_posteriors(p, integers({2, 3}, {0, -1, 0, 0, -1, 0}));
  // The first: 0.1875, 0.5625, 0.1875 of 0.9375; the second: 0.1875, 0.0625, 0.1875 of 0.4375.
  const std::vector<float> expected{0.8f, 0.2f, 0.5f, 0.5f, 0.2f, 0.8f, 4 / 7.f, 3 / 7.f, 1, 0, 3 / 7.f, 4 / 7.f};
  const std::vector<float> got = q.values();
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << i;
  EXPECT_FALSE(q.requires_grad());
  EXPECT_EQ(monotone_posteriors(Tensor::zeros({0, 3, 2}), integers({0, 3}, {})).size(), 0);
  EXPECT_THROW(monotone_posteriors(Tensor::zeros({1, 2, 2, 2}), integers({1, 2, 2}, {0, 0, 0, 0})), Error);
}

TEST(PseudoLabels, move_with_the_view) {
  const Tensor origin = integers({2, 3}, {2, -1, 0, 0, 0, 1}), labels = integers({2, 3}, {10, 11, 12, 20, 21, 22});
  EXPECT_EQ(move_labels(labels, origin).integers(), (std::vector<int32_t>{12, -1, 10, 20, 20, 21}));
  EXPECT_EQ(move_labels(labels, {}).integers(), labels.integers());
  const Tensor rows = Tensor::from({1, 3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(move_rows(rows, integers({1, 3}, {1, -1, 0})).values(), (std::vector<float>{3, 4, 0, 0, 1, 2}));
  EXPECT_THROW(move_labels(labels, integers({2, 3}, {0, 1, 3, 0, 1, 2})), Error);
}

// How many have a label.
int64_t count_present(const Tensor& labels) {
  const std::vector<int32_t> all = labels.integers();
  return std::count_if(all.begin(), all.end(), [](int32_t label) { return label >= 0; });
}
Tensor weight_of(double value) { return Tensor::full({1}, float(value)); }

TEST(CoinFlips, every_batch_comes_once_in_an_order_of_its_own) {
  const std::vector<bool> a = coin_flips(40, 60, 1, 0);
  EXPECT_EQ(a.size(), 100u);
  EXPECT_EQ(std::count(a.begin(), a.end(), true), 40);
  EXPECT_EQ(a, coin_flips(40, 60, 1, 0));
  EXPECT_NE(a, coin_flips(40, 60, 1, 1));
  EXPECT_EQ(coin_flips(0, 2, 1, 0), (std::vector<bool>{false, false}));
}

// --- one step of each against PyTorch (tests/training/make_methods_golden.py) ---

struct Golden {
  TensorFile file = load_tensors(testing::source_file("tests/training/goldens/methods.safetensors"));
  Tensor at(const std::string& name) const {
    const Tensor* t = file.find(name);
    EXPECT_TRUE(t) << name;
    return t->clone();
  }
  LabelledBatch labelled() const { return {at("x"), at("labels")}; }
  UnlabelledBatch unlabelled() const { return {at("u"), at("present"), at("strong"), at("origin"), at("truth")}; }
  std::vector<float> class_weights() const { return at("class_weight").values(); }
  void load(const AnyModule& net, const std::string& prefix) const {
    for (NamedTensor t : net.tensors()) t.tensor.copy_from(at(prefix + t.name));
  }
  // Every gradient, relative to the network's largest: some are 0 but for rounding.
  void expect_gradients(const AnyModule& net, const std::string& prefix) const {
    double largest = 0;
    for (const NamedTensor& t : net.parameters())
      for (const float v : at(prefix + t.name).values()) largest = std::max(largest, double(std::abs(v)));
    EXPECT_GT(largest, 0);
    for (const NamedTensor& t : net.parameters()) {
      ASSERT_TRUE(t.tensor.grad()) << t.name << " got no gradient";
      const std::vector<float> got = t.tensor.grad().values(), want = at(prefix + t.name).values();
      for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5 * largest) << t.name;
    }
  }
};

AnyModule network(int in = 1, int out = 3, std::vector<int> channels = {3, 4}) {
  return AnyModule(models::UNet1d({.in = in,
                                   .out = out,
                                   .channels = channels,
                                   .strides = std::vector<int>(channels.size() - 1, 1),
                                   .residual_units = 1}));
}
Optimiser adam(const AnyModule& net, double lr = 1e-2) {
  return Optimiser({{.parameters = net.parameters()}}, AdamOptions{}, lr);
}

TEST(Golden, mean_teacher) {
  const Golden golden;
  const AnyModule f = network();
  golden.load(f, "weight.g.");
  Optimiser optimiser = adam(f);
  MeanTeacher method(f, optimiser, {.class_weights = golden.class_weights(), .weight = 10, .ramp = 5});  // g teaches
  golden.load(f, "weight.f.");
  const Tensor loss = method.loss(golden.labelled(), golden.unlabelled(), weight_of(method.weight(2.5))).loss;
  EXPECT_NEAR(loss.item(), golden.at("mean_teacher.loss").item(), 5e-6);
  backward(loss);
  golden.expect_gradients(f, "mean_teacher.f.grad.");
}

TEST(Golden, fixmatch) {
  const Golden golden;
  const AnyModule f = network();
  golden.load(f, "weight.f.");
  Optimiser optimiser = adam(f);
  FixMatch method(f, optimiser, {.class_weights = golden.class_weights(), .weight = 1.5, .threshold = 0.6});
  const UnlabelledBatch u = golden.unlabelled();
  const Tensor target = move_labels(pseudo_labels(softmax(f(u.x)), u.present, u.truth, 0.6).labels, u.origin);
  EXPECT_EQ(target.integers(), golden.at("fixmatch.target").integers());
  EXPECT_GT(count_present(target), 5);  // the step is worth something
  EXPECT_LT(count_present(target), 60);
  const Tensor loss = method.loss(golden.labelled(), u, weight_of(1.5)).loss;
  EXPECT_NEAR(loss.item(), golden.at("fixmatch.loss").item(), 5e-6);
  backward(loss);
  golden.expect_gradients(f, "fixmatch.f.grad.");
}

TEST(Golden, cross_pseudo_supervision) {
  const Golden golden;
  const AnyModule f = network(), g = network();
  golden.load(f, "weight.f.");
  golden.load(g, "weight.g.");
  Optimiser optimiser = adam(f);
  CrossPseudo method(f, optimiser, g, adam(g), {.class_weights = golden.class_weights(), .weight = 0.7, .ramp = 5});
  const Tensor loss = method.loss(golden.labelled(), golden.unlabelled(), weight_of(method.weight(5))).loss;
  EXPECT_NEAR(loss.item(), golden.at("cps.loss").item(), 1e-5);
  backward(loss);
  golden.expect_gradients(f, "cps.f.grad.");
  golden.expect_gradients(g, "cps.g.grad.");
}

class AdversarialGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(AdversarialGolden, both_networks) {
  const Golden golden;
  const std::string name = std::string("adversarial_") + GetParam();
  const AnyModule f = network(), d = name.ends_with("unet") ? network(3, 2, {2, 3})
                                                            : AnyModule(models::FcnDiscriminator1d(3, {2, 3, 2, 3}));
  golden.load(f, "weight.f.");
  golden.load(d, name + ".weight.");
  Optimiser optimiser = adam(f);
  const double threshold = golden.at(name + ".threshold").item();
  Adversarial method(f, optimiser, d, {.class_weights = golden.class_weights(), .threshold = threshold, .wait = 3});
  const LabelledBatch l = golden.labelled();
  const UnlabelledBatch u = golden.unlabelled();
  Adversarial::Said said;
  const StepTerms terms = method.network_gradients(l, u, true, said);
  EXPECT_NEAR(terms.loss.item(), golden.at(name + ".loss").item(), 5e-6);
  const std::vector<float> confident = terms.figures[3].values();
  EXPECT_NEAR(confident[0] * confident[1], double(count_present(golden.at(name + ".own"))), 1e-4);
  golden.expect_gradients(f, name + ".f.grad.");
  for (const NamedTensor& p : d.parameters()) EXPECT_FALSE(p.tensor.grad()) << p.name << ": D stood still";
  EXPECT_NEAR(method.discriminator_gradients(l, u, said).loss.item(), golden.at(name + ".evaluating").item(), 5e-6);
  golden.expect_gradients(d, name + ".d.grad.");
  golden.expect_gradients(f, name + ".f.grad.");  // detached: nothing was added
}
INSTANTIATE_TEST_SUITE_P(Discriminators, AdversarialGolden, ::testing::Values("unet", "fcn"),
                         [](const auto& i) { return std::string(i.param); });

// --- a step is what it says ---

TEST(Adversarial, the_semi_term_waits) {
  const Golden golden;
  const AnyModule f = network(), d = network(3, 2, {2, 3});
  golden.load(f, "weight.f.");
  Optimiser optimiser = adam(f);
  Adversarial method(f, optimiser, d, {.threshold = 0, .wait = 3});
  StepData data;
  data.labelled = [&] { return golden.labelled(); };
  data.unlabelled = [&] { return golden.unlabelled(); };
  for (const double epochs : {2.99, 3.0}) {
    data.epochs = epochs;
    const std::vector<StepFigure> figures = method.step(data).figures.values();
    EXPECT_EQ(figures[2].name, "loss_semi");
    EXPECT_EQ(figures[2].weight, epochs < 3 ? 0 : 1);
    EXPECT_EQ(figures[3].name, "confident");
    EXPECT_EQ(figures[3].value, 1);  // above the threshold everywhere
  }
}

// As the original program: D sees logarithms, and a step has one batch.
TEST(Adversarial, one_batch_may_be_missing) {
  const Golden golden;
  const AnyModule f = network(), d = network(3, 2, {2, 3});
  golden.load(f, "weight.f.");
  Optimiser optimiser = adam(f);
  Adversarial method(f, optimiser, d, {.wait = 0, .log_probabilities = true});
  StepData labelled, unlabelled;
  labelled.labelled = [&] { return golden.labelled(); };
  unlabelled.unlabelled = [&] { return golden.unlabelled(); };
  const StepResult a = method.step(labelled), b = method.step(unlabelled);
  EXPECT_TRUE(std::isfinite(a.loss.value()) && std::isfinite(b.loss.value()));
  const auto of_a = a.figures.values(), of_b = b.figures.values();
  ASSERT_EQ(of_a.size(), of_b.size());
  EXPECT_EQ(of_a[0].weight, 1);
  EXPECT_EQ(of_b[0].weight, 0);
}

// The classic mistake: the discriminator's update comes between the network's forward and backward passes.
TEST(Adversarial, writing_to_what_a_backward_pass_needs_is_caught) {
  const Golden golden;
  const AnyModule f = network(), d = network(3, 2, {2, 3});
  golden.load(f, "weight.f.");
  Optimiser optimiser = adam(d);
  const Tensor map = d(softmax(f(golden.at("x"))));
  const Tensor passing = cross_entropy(map, integers({2, 40}, std::vector<int32_t>(80, 1)));
  backward(cross_entropy(d(softmax(f(golden.at("x"))).detach()), integers({2, 40}, std::vector<int32_t>(80, 0))));
  optimiser.step();
  try {
    backward(passing);
    FAIL() << "the gradients would have been wrong";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("was modified in place after the forward pass"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("Call backward before the optimiser's step"), std::string::npos);
  }
}

// What the unlabelled term aims at is what the weak view says, in order, carried to the strong one.
TEST(Monotone, is_what_mean_teacher_and_fixmatch_aim_at) {
  const Golden golden;
  const UnlabelledBatch u = golden.unlabelled();
  const AnyModule f = network();
  golden.load(f, "weight.f.");
  Tensor q, strong;
  {
    const NoGrad off;
    f.set_training(false);
    q = monotone_posteriors(softmax(f(u.x)), u.present);
    f.set_training(true);
    strong = softmax(f(u.strong));
  }
  const PseudoLabels said = pseudo_labels(q, u.present, u.truth, 0.6);
  EXPECT_NE(said.labels.integers(), pseudo_labels(softmax(f(u.x)), u.present, u.truth, 0.6).labels.integers());

  Optimiser optimiser = adam(f);
  FixMatch fixmatch(f, optimiser, {.threshold = 0.6, .monotone = true});
  const StepTerms matched = fixmatch.loss(golden.labelled(), u, weight_of(1));
  EXPECT_EQ(matched.figures[2].values(), said.share.values());
  EXPECT_EQ(matched.figures[3].values(), said.accuracy.values());

  const std::vector<float> aim = move_rows(q, u.origin).values(), own = strong.values();
  const std::vector<int32_t> there = move_labels(u.present, u.origin).integers();
  const size_t classes = size_t(q.channels());
  double squares = 0, count = 0;
  for (size_t i = 0; i < own.size(); ++i)
    if (there[i / classes] >= 0) squares += std::pow(double(own[i]) - double(aim[i]), 2), ++count;
  MeanTeacher teacher(f, optimiser, {.monotone = true});
  const StepTerms taught = teacher.loss(golden.labelled(), u, weight_of(teacher.weight(5)));
  EXPECT_NEAR(taught.figures[1].item(), squares / count, 1e-6);
}

TEST(MeanTeacher, the_teacher_follows_by_its_decay_and_is_what_validates) {
  const Golden golden;
  const AnyModule f = network();
  Optimiser optimiser = adam(f, 0.1);
  MeanTeacher method(f, optimiser, {.decay = 0.9});
  const Tensor p = f.parameters()[0].tensor;
  const float before = p.values()[0];
  StepData data;
  data.labelled = [&] { return golden.labelled(); };
  data.unlabelled = [&] { return golden.unlabelled(); };
  method.step(data);
  const float after = p.values()[0];
  ASSERT_NE(before, after);
  Ema& teacher = *method.parts().averages.at(0).second;
  teacher.update();  // the loop's part; the first update decays by 1/10
  const Ema::Swapped swapped(teacher);
  EXPECT_NEAR(p.values()[0], 0.1f * before + 0.9f * after, 1e-6);
}

// A network of one logit learns as one of two would whose first is always 0.
struct TwoLogits {
  models::UNet1d one{{.in = 1, .out = 1, .channels = {3, 4}, .strides = {1}, .residual_units = 1}};
  Tensor operator()(const Tensor& x) { return class_logits(one(x)); }
  template <class V>
  void visit(V&& v) {
    v("one", one);
  }
};

TEST(OneLogit, is_two_classes) {
  const Golden golden;
  TwoLogits both;
  const AnyModule f(both.one), two(both);  // of the same weights
  const Tensor z = f(golden.at("u")), p = softmax(class_logits(z));
  for (int64_t i = 0; i < z.size(); ++i) {
    const double fault = 1 / (1 + std::exp(-double(z.values()[size_t(i)])));
    EXPECT_NEAR(p.values()[size_t(2 * i)], 1 - fault, 1e-6);
    EXPECT_NEAR(p.values()[size_t(2 * i + 1)], fault, 1e-6);
  }
  // Labels of two classes.
  LabelledBatch l = golden.labelled();
  std::vector<int32_t> two_classes = l.labels.integers();
  for (int32_t& k : two_classes) k = std::min(k, 1);
  l.labels = integers(l.labels.shape(), two_classes);
  UnlabelledBatch u = golden.unlabelled();
  u.truth = {};
  const LabelledLoss by_one = [](const AnyModule& net, const Tensor& x, const Tensor& labels) {
    return cross_entropy(class_logits(net(x)), labels);
  };
  Optimiser a = adam(f), b = adam(two);
  const Tensor w = weight_of(1.5);
  EXPECT_FLOAT_EQ(MeanTeacher(f, a, {.loss = by_one}).loss(l, u, w).loss.item(),
                  MeanTeacher(two, b, {}).loss(l, u, w).loss.item());
  const Tensor loss = FixMatch(f, a, {.loss = by_one, .threshold = 0.55}).loss(l, u, w).loss;
  EXPECT_FLOAT_EQ(loss.item(), FixMatch(two, b, {.threshold = 0.55}).loss(l, u, w).loss.item());
  EXPECT_NE(loss.item(), by_one(f, l.x, l.labels).item()) << "some positions were sure";
}

// --- a tiny training of each learns ---

// Two classes by the sign of a slow wave; a quarter of the samples are labelled, the rest is noise on the same wave.
struct Toy {
  RandomSequence random{7, RandomStream::noise};
  bool second_view = false;
  Tensor wave(std::vector<int32_t>& classes, int64_t n) {
    std::vector<float> x;
    for (int64_t i = 0; i < n; ++i) {
      const double phase = random.uniform(0, 6.28);
      for (int t = 0; t < 32; ++t) {
        const double v = std::sin(0.4 * t + phase);
        x.push_back(float(v + random.normal(0, 0.3)));
        classes.push_back(v > 0);
      }
    }
    return Tensor::from({n, 32, 1}, x);
  }
  StepData next(double epochs) {
    StepData d;
    d.epochs = epochs;
    d.labelled = [this] {
      std::vector<int32_t> classes;
      const Tensor x = wave(classes, 2);
      return LabelledBatch{x, integers({2, 32}, classes)};
    };
    d.unlabelled = [this] {
      std::vector<int32_t> classes;
      UnlabelledBatch u{.x = wave(classes, 4), .present = integers({4, 32}, std::vector<int32_t>(128, 0))};
      std::vector<float> strong = u.x.values();
      for (float& v : strong) v += float(random.normal(0, 0.2));
      u.strong = Tensor::from(u.x.shape(), strong);
      if (second_view) {
        for (float& v : strong) v += float(random.normal(0, 0.1));
        u.strong2 = Tensor::from(u.x.shape(), strong);
      }
      u.truth = integers({4, 32}, classes);
      return u;
    };
    return d;
  }
};

class Learning : public ::testing::TestWithParam<const char*> {};

TEST_P(Learning, the_loss_falls_and_pseudo_labels_become_right) {
  const std::string name = GetParam();
  set_seed(4);
  const AnyModule f = network(1, 2, {4, 8});
  Optimiser optimiser = adam(f);
  Method method;
  if (name == "supervised") method = Method(std::make_shared<Supervised>(f, optimiser, SupervisedOptions{}));
  if (name == "mean_teacher")
    method = Method(std::make_shared<MeanTeacher>(f, optimiser, MeanTeacherOptions{.clip = 5, .decay = 0.9}));
  if (name == "fixmatch") method = Method(std::make_shared<FixMatch>(f, optimiser, FixMatchOptions{.threshold = 0.8}));
  if (name == "unimatch") method = Method(std::make_shared<UniMatch>(f, optimiser, UniMatchOptions{.threshold = 0.8}));
  if (name == "cps") {
    const AnyModule g = network(1, 2, {4, 8});
    method = Method(std::make_shared<CrossPseudo>(f, optimiser, g, adam(g), CrossPseudoOptions{}));
    EXPECT_EQ(method.parts.models.size(), 1u);
    EXPECT_EQ(method.parts.optimisers.size(), 1u);
  }
  if (name == "adversarial")
    method = Method(std::make_shared<Adversarial>(f, optimiser, network(2, 2, {2, 4}), AdversarialOptions{.wait = 2}));
  Toy toy{.second_view = name == "unimatch"};
  double first = 0, last = 0;
  StepResult r;
  for (int step = 0; step < 80; ++step) {
    r = method.step(toy.next(step / 16.0));
    for (const auto& [n, average] : method.parts.averages) average->update();
    EXPECT_EQ(r.samples, 2);
    const double labelled = name == "supervised" ? r.loss.value() : r.figures.values()[0].value;
    if (step < 10) first += labelled;
    if (step >= 70) last += labelled;
  }
  EXPECT_LT(last, 0.6 * first);
  for (const StepFigure& figure : r.figures.values()) {
    if (figure.name == "pseudo_accuracy") {
      EXPECT_GT(figure.value, 0.8);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Methods, Learning,
                         ::testing::Values("supervised", "mean_teacher", "fixmatch", "unimatch", "cps", "adversarial"),
                         [](const auto& i) { return std::string(i.param); });

}  // namespace
}  // namespace kern::training
