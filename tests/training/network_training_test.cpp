// Recipe, method and batches put together for the loop.
#include "training/network_training.h"

#include <gtest/gtest.h>

#include "engine/random.h"
#include "layers/conv1d.h"
#include "training/batch_tensors.h"

namespace kern::training {
namespace {

// Batches that say where they come from: round r, batch i, two samples of three positions.
struct Counted {
  struct Epoch {
    int64_t number;
  };
  struct Batch {
    int64_t number, index;
    data::Whole whole = {};
  };
  int64_t batches = 3;
  int64_t size() const { return batches; }
  Epoch epoch(int64_t number) const { return {number}; }
  Batch batch(const Epoch& e, int64_t index, const data::Share& = {}) const { return {e.number, index}; }
};

BatchTensors<Counted> tensors() {
  return {.all =
              [](const Counted& c) {
                return Shape{2 * c.batches, 3, 1};
              },
          .labelled =
              [](const Counted::Batch& b) {
                return LabelledBatch{Tensor::full({2, 3, 1}, float(10 * b.number + b.index)),
                                     Tensor::from({2, 3}, std::vector<int32_t>{0, 1, 0, 1, 0, 1})};
              },
          .unlabelled =
              [](const Counted::Batch& b) {
                return UnlabelledBatch{.x = Tensor::full({2, 3, 1}, -float(10 * b.number + b.index))};
              }};
}

float first_of(const LabelledBatch& b) { return b.x ? b.x.values()[0] : -1; }

TEST(StepLoaders, AStepGetsWhatItsEpochAndIndexSay) {
  Recipe recipe;
  recipe.accumulate = 2;
  StepLoaders<Counted> loaders(Counted{}, std::nullopt, tensors(), recipe);
  EXPECT_EQ(loaders.steps(), 2);
  EXPECT_EQ(loaders.samples(), 6);
  loaders.begin_epoch(4, 1);  // as resumed in the middle
  StepData d = loaders.next(4, 1);
  EXPECT_EQ(d.epochs, 4.5);
  EXPECT_EQ(first_of(d.labelled()), 42);
  EXPECT_EQ(first_of(d.labelled()), -1) << "the pass has ended";
  EXPECT_FALSE(d.unlabelled);
  loaders.begin_epoch(5, 0);
  EXPECT_EQ(first_of(loaders.next(5, 0).labelled()), 50);
}

TEST(StepLoaders, TheLargerOfBothKindsMakesAnEpoch) {
  MethodRecipe method;
  method.kind = MethodKind::cps;
  StepLoaders<Counted> loaders(Counted{}, Counted{.batches = 5}, tensors(), Recipe{}, method);
  EXPECT_EQ(loaders.steps(), 5);
  EXPECT_EQ(loaders.samples(), 5 * Recipe{}.batch);
  loaders.begin_epoch(1, 2);  // of an endless row each: labelled batch 7 is 1 of round 2
  StepData d = loaders.next(1, 2);
  EXPECT_EQ(first_of(d.labelled()), 21);
  EXPECT_EQ(d.unlabelled().x.values()[0], -12);
}

TEST(StepLoaders, EmptyDataHaveTheShapesOfRealOnes) {
  MethodRecipe method;
  method.kind = MethodKind::fixmatch;
  const StepLoaders<Counted> loaders(Counted{}, Counted{.batches = 1}, tensors(), Recipe{}, method);
  const StepData d = loaders.empty(4, 4);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(d.labelled().x.shape(), (Shape{4, 3, 1}));
  EXPECT_FALSE(d.labelled().x) << "an epoch has three batches";
  EXPECT_EQ(d.unlabelled().x.shape(), (Shape{2, 3, 1})) << "there are no more";
  EXPECT_EQ(d.unlabelled().strong.shape(), (Shape{2, 3, 1}));
  BatchTensors<Counted> per_sample = tensors();
  per_sample.per_sample = true;
  EXPECT_EQ(StepLoaders<Counted>(Counted{}, std::nullopt, per_sample, Recipe{}).empty(4, 4).labelled().labels.shape(),
            (Shape{4}));
}

TEST(NetworkTraining, ADryRunChangesNothingAndAStepDoes) {
  set_seed(3);
  AnyModule network{Conv1d({.in = 1, .out = 2, .kernel = 3, .padding = 1})};
  Recipe recipe;
  recipe.batch = 2, recipe.ema = 0.9;
  NetworkTraining training({.network = network, .recipe = recipe},
                           std::make_unique<StepLoaders<Counted>>(Counted{}, std::nullopt, tensors(), recipe));
  const auto weights = [&] { return network.parameters()[0].tensor.values(); };
  const std::vector<float> before = weights();
  EXPECT_EQ(training.data_wait_share(), 0);
  const StepMemory two = training.foresee(2, 2), four = training.foresee(4, 4);
  EXPECT_GT(two.peak, 0u);
  EXPECT_GT(four.peak, two.peak);
  EXPECT_EQ(weights(), before);

  Training t = training.for_loop();
  EXPECT_EQ(t.steps_in_epoch, 3);
  EXPECT_EQ(t.samples_in_epoch, 6);
  ASSERT_EQ(t.averages.size(), 1u);
  EXPECT_EQ(t.identity["average of the weights"], "ema=0.9");
  t.begin_epoch(1, 0);
  EXPECT_EQ(t.step(1, 0).samples, 2);
  EXPECT_NE(weights(), before);
  EXPECT_GT(training.data_wait_share(), 0);
  EXPECT_LE(training.data_wait_share(), 1);
}

}  // namespace
}  // namespace kern::training
