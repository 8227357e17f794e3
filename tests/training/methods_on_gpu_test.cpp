// The semi-supervised methods on a GPU, emulated or real: recorded, a step gives the bits of the eager one, and losses
// and figures of the CPU's within tolerances. A step that read from the GPU would not let itself be recorded.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "engine/capture.h"
#include "models/discriminator.h"
#include "models/unet1d.h"
#include "training/adversarial.h"
#include "training/cross_pseudo.h"
#include "training/fixmatch.h"
#include "training/mean_teacher.h"
#include "training/unimatch.h"

namespace kern::training {
namespace methods_on_gpu {  // the tests of a library are compiled together
using Last = StepGraphs::Last;

constexpr int64_t kLength = 24;
constexpr int kClasses = 3, kSteps = 8;

AnyModule network(int in, int out, std::vector<int> channels) {
  return AnyModule(models::UNet1d({.in = in,
                                   .out = out,
                                   .channels = channels,
                                   .strides = std::vector<int>(channels.size() - 1, 1),
                                   .residual_units = 1}));
}
AnyModule tagger() { return network(2, kClasses, {3, 4}); }
Optimiser adam(const AnyModule& net) { return Optimiser({{.parameters = net.parameters()}}, AdamOptions{}, 1e-2); }

// Batches of step i: random, some positions without a label, a strong view that is moved by one.
Tensor signals(RandomSequence& random, int64_t n, int64_t channels) {
  std::vector<float> v(size_t(n * kLength * channels));
  for (float& x : v) x = float(random.normal());
  return Tensor::from({n, kLength, channels}, v);
}
Tensor classes(RandomSequence& random, int64_t n, int none_of, int classes) {
  std::vector<int32_t> v(size_t(n * kLength));
  for (int32_t& c : v) c = random.below(uint32_t(none_of)) == 0 ? -1 : int32_t(random.below(uint32_t(classes)));
  return Tensor::from({n, kLength}, std::span<const int32_t>(v));
}
StepData data_of(int i, bool labelled, bool unlabelled) {
  StepData d;
  d.epochs = 0.5 * i;
  if (labelled)
    d.labelled = [i] {
      RandomSequence random(uint64_t(i), RandomStream::noise);
      return LabelledBatch{signals(random, 2, 2), classes(random, 2, 4, kClasses)};
    };
  if (unlabelled)
    d.unlabelled = [i] {
      RandomSequence random(uint64_t(100 + i), RandomStream::noise);
      UnlabelledBatch u{.x = signals(random, 3, 2), .present = classes(random, 3, 6, 1)};
      u.strong = signals(random, 3, 2);
      u.strong2 = signals(random, 3, 2);
      u.truth = classes(random, 3, 2, kClasses);
      std::vector<int32_t> origin;
      for (int n = 0; n < 3; ++n)
        for (int64_t at = 0; at < kLength; ++at) origin.push_back(int32_t(at) - 1);
      u.origin = Tensor::from({3, kLength}, std::span<const int32_t>(origin));
      u.origin2 = u.origin.clone();
      return u;
    };
  return d;
}

struct Case {
  const char* name;
  // The method with f, which is on the device, and how its last step was done.
  std::function<std::pair<Method, std::function<Last()>>(const AnyModule& f, Optimiser&, Device)> make;
  bool one_batch = false;  // steps have one kind of batch in turn
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
template <class M>
std::pair<Method, std::function<Last()>> both(std::shared_ptr<M> m) {
  return {Method(m), [m] { return m->last(); }};
}
auto adversarial(std::function<AnyModule()> discriminator, const AdversarialOptions& options) {
  return [=](const AnyModule& f, Optimiser& o, Device device) {
    const AnyModule d = discriminator();
    d.move_to(device);
    return both(std::make_shared<Adversarial>(f, o, d, options));
  };
}
const Case kCases[] = {
    {"mean_teacher",
     [](const AnyModule& f, Optimiser& o, Device) {
       return both(std::make_shared<MeanTeacher>(f, o, MeanTeacherOptions{.class_weights = {1, 2, 1}, .clip = 0.5}));
     }},
    {"mean_teacher_monotone",
     [](const AnyModule& f, Optimiser& o, Device) {
       return both(std::make_shared<MeanTeacher>(f, o, MeanTeacherOptions{.decay = 0.9, .monotone = true}));
     }},
    {"fixmatch",
     [](const AnyModule& f, Optimiser& o, Device) {
       return both(std::make_shared<FixMatch>(f, o, FixMatchOptions{.weight = 1.5, .threshold = 0.4}));
     }},
    {"unimatch",
     [](const AnyModule& f, Optimiser& o, Device) {
       return both(std::make_shared<UniMatch>(f, o, UniMatchOptions{.weight = 1.5, .threshold = 0.4}));
     }},
    {"cps",
     [](const AnyModule& f, Optimiser& o, Device device) {
       const AnyModule g = tagger();
       g.move_to(device);
       return both(std::make_shared<CrossPseudo>(f, o, g, adam(g), CrossPseudoOptions{.clip = 0.5}));
     }},
    {"adversarial", adversarial(
                        [] {
                          return network(kClasses, 2, {2, 3});
                        },
                        {.threshold = 0.45, .wait = 2})},
    {"adversarial_of_one_logit", adversarial(
                                     [] {
                                       return AnyModule(models::FcnDiscriminator1d(kClasses, {2, 3, 2, 3}));
                                     },
                                     {.threshold = 0.45, .wait = 0})},
    {"adversarial_as_the_seed",
     adversarial(
         [] {
           return network(kClasses, 2, {2, 3});
         },
         {.threshold = 0.45, .wait = 1, .log_probabilities = true}),
     true}};

struct Outcome {
  std::vector<double> losses, figures;
  std::vector<std::vector<float>> tensors;
  std::vector<Last> how;
};
Outcome train(const Case& c, Device device, bool graphs = true) {
  set_graphs(graphs);
  set_seed(7);
  const AnyModule f = tagger();
  f.move_to(device);
  Optimiser optimiser = adam(f);
  auto [method, last] = c.make(f, optimiser, device);
  Outcome outcome;
  StepResult before;
  for (int i = 0; i <= kSteps; ++i) {
    StepResult now;
    if (i < kSteps) {
      now = method.step(data_of(i, !c.one_batch || i % 2 == 0, !c.one_batch || i % 2 == 1));
      EXPECT_EQ(now.loss.late(), device == Device::cuda);
      outcome.how.push_back(last());
      for (const auto& [name, average] : method.parts.averages) average->update();
      default_generator().advance();
    }
    if (i > 0) {  // read a step late, as the loop does
      outcome.losses.push_back(before.loss.value());
      for (const StepFigure& figure : before.figures.values())
        outcome.figures.insert(outcome.figures.end(), {figure.value, figure.weight});
    }
    before = std::move(now);
  }
  for (const NamedTensor& t : f.tensors()) outcome.tensors.push_back(t.tensor.values());
  for (const auto& [name, other] : method.parts.models)
    for (const NamedTensor& t : other.tensors()) outcome.tensors.push_back(t.tensor.values());
  set_graphs(true);
  return outcome;
}

class MethodsOnGpu : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    std::string why;
    if (!gpu_available(&why)) GTEST_SKIP() << why;
  }
};

TEST_P(MethodsOnGpu, recorded_is_eager_to_the_bit) {
  const Outcome eager = train(GetParam(), Device::cuda, false), recorded = train(GetParam(), Device::cuda);
  EXPECT_EQ(eager.losses, recorded.losses);
  EXPECT_EQ(eager.figures, recorded.figures);
  EXPECT_TRUE(eager.tensors == recorded.tensors) << "parameters or buffers differ";
  EXPECT_EQ(eager.how, std::vector<Last>(kSteps, Last::eager));
  EXPECT_EQ(recorded.how.back(), Last::replayed);
}

TEST_P(MethodsOnGpu, losses_and_figures_stay_with_those_of_the_cpu) {
  const Outcome here = train(GetParam(), Device::cpu), there = train(GetParam(), Device::cuda);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(there.losses[size_t(i)], here.losses[size_t(i)], 2e-3) << i;
  const size_t figures = here.figures.size() / kSteps;
  ASSERT_EQ(here.figures.size(), there.figures.size());
  // A position more or less passes a threshold: one of 72 is 0.014.
  for (size_t i = 0; i < 2 * figures; ++i) {
    const bool weight = i % 2 == 1;
    EXPECT_NEAR(there.figures[i], here.figures[i], weight && here.figures[i] > 1 ? 3 : 0.05) << i;
  }
}
INSTANTIATE_TEST_SUITE_P(Methods, MethodsOnGpu, ::testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.name); });

}  // namespace methods_on_gpu
}  // namespace kern::training
