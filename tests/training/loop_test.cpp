// The loop's promise: stopped after any number of updates and resumed, it leaves the files of a loop that was not.
#include "training/loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <limits>

#include "engine/atomic_file.h"
#include "engine/gpu.h"
#include "engine/ops/cross_entropy.h"
#include "engine/random.h"
#include "kernels/common/error.h"
#include "layers/conv1d.h"
#include "layers/dropout.h"
#include "layers/relu.h"
#include "training/stop.h"

namespace kern::training {
namespace {
namespace fs = std::filesystem;

struct Trunk {
  Conv1d conv{{.in = 2, .out = 4, .kernel = 3, .padding = 1}};
  Relu relu;
  Dropout dropout{0.4f};
  Tensor operator()(const Tensor& x) { return dropout(relu(conv(x))); }
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("relu", relu), v("dropout", dropout);
  }
};
struct Head {
  Conv1d conv{{.in = 4, .out = 3, .kernel = 1}};
  Tensor operator()(const Tensor& x) { return conv(x); }
  template <class V>
  void visit(V&& v) {
    v("conv", conv);
  }
};

constexpr int kEpochs = 3, kSteps = 4, kAccumulate = 2;

// Two networks, each with an optimiser of its own; a step adds up the gradients of two batches.
struct Small {
  explicit Small(ScheduleKind kind, bool averaged = false)
      : schedule({.kind = kind,
                  .lr = 0.05,
                  .steps = kEpochs * kSteps,
                  .warmup = kind == ScheduleKind::poly ? 2 : 0,
                  .patience = 0}) {
    set_seed(5);
    trunk = AnyModule(Trunk());
    head = AnyModule(Head());
    adam.emplace(std::vector<ParameterGroup>{{.parameters = trunk.parameters()}},
                 AdamOptions{.weight_decay = 0.01, .decoupled = true}, 0.05);
    sgd.emplace(std::vector<ParameterGroup>{{.parameters = head.parameters()}}, SgdOptions{.momentum = 0.9}, 0.02);
    t.models = {{"trunk", trunk}, {"head", head}};
    t.optimisers = {{"adam", &*adam}, {"sgd", &*sgd}};
    if (averaged) {
      trunk_average.emplace(*adam, EmaOptions{.decay = 0.8});
      head_average.emplace(*sgd, EmaOptions{.decay = 0.5, .warmup = false});
      t.averages = {{"trunk_average", &*trunk_average}, {"head_average", &*head_average}};
    }
    t.schedule = &schedule;
    t.steps_in_epoch = kSteps;
    t.samples_in_epoch = kSteps * kAccumulate;
    t.begin_epoch = [this](int epoch, int64_t index) { epoch_ = epoch, next_ = index * kAccumulate; };
    t.step = [this](int epoch, int64_t index) {
      EXPECT_EQ(epoch, epoch_);
      EXPECT_EQ(index * kAccumulate, next_);
      StepResult r;
      for (int i = 0; i < kAccumulate; ++i, ++r.samples) {
        const Tensor loss = loss_of(uint32_t(epoch), uint32_t(next_++));
        backward(loss, Tensor::full({1}, 1.0f / kAccumulate));
        r.loss.add(loss.to(losses_on), 1);
      }
      adam->clip_gradient_norm(1);
      adam->step();
      sgd->step();
      r.figures = std::vector<StepFigure>{{"mean_of_steps", double(epoch) + 0.1 * double(index), double(1 + index)},
                                          {"of_no_step", 1, 0}};
      return r;
    };
    t.validate = [this](int) {
      const double loss = double(loss_of(1000, 0).item());
      return Validation{.score = -loss, .loss = loss, .figures = {{"val_loss", loss}}};
    };
    t.save_model = [this](const fs::path& path) {
      std::vector<FileTensor> tensors;
      for (const auto& [name, model] : t.models)
        for (const NamedTensor& p : model.tensors()) tensors.push_back({name + "." + p.name, p.tensor});
      save_tensors(path, tensors, {});
    };
    t.identity = {{"kind", "small"}};
  }
  Small(const Small&) = delete;

  Tensor loss_of(uint32_t epoch, uint32_t index) const {
    RandomSequence random(9, RandomStream::noise, epoch, index);
    std::vector<float> x;
    std::vector<int32_t> labels;
    for (int i = 0; i < 8; ++i) {
      const float a = random.normal(), b = random.normal();
      x.push_back(a), x.push_back(b);
      labels.push_back(a > b ? 0 : b > 0 ? 1 : 2);
    }
    return cross_entropy(head(trunk(Tensor::from({1, 8, 2}, x))), Tensor::from({1, 8}, labels), {});
  }

  LoopResult run(const RunFolder& folder, const LoopOptions& options) {
    ProgressBar quiet({.mode = ProgressMode::quiet});
    return run_loop(folder, options, t, quiet);
  }

  Device losses_on = Device::cpu;
  AnyModule trunk, head;
  std::optional<Optimiser> adam, sgd;
  std::optional<Ema> trunk_average, head_average;
  Schedule schedule;
  Training t;
  int epoch_ = -1;
  int64_t next_ = 0;
};

class Folders {
 public:
  Folders() { fs::remove_all(path); }
  ~Folders() { fs::remove_all(path); }
  const fs::path path = fs::path(::testing::TempDir()) /
                        (std::string("kern_loop_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

LoopResult run(const fs::path& folder, bool resume, LoopOptions options, ScheduleKind kind = ScheduleKind::poly,
               bool averaged = false) {
  options.epochs = kEpochs;
  return Small(kind, averaged).run(resume ? RunFolder::resume(folder) : RunFolder::create(folder), options);
}

void expect_equal(const fs::path& a, const fs::path& b) {
  for (const char* name : {kBestModelFile, kLastModelFile, "metrics.csv"})
    EXPECT_TRUE(read_file(a / name) == read_file(b / name)) << name << " differs in " << b;
  // The tensors of the checkpoints too; beside them stand the seconds, which differ.
  const auto tensors = [](const fs::path& folder) {
    save_tensors(folder / "tensors", load_checkpoint(folder / kCheckpointFile).file.tensors, {});
    return read_file(folder / "tensors");
  };
  EXPECT_TRUE(tensors(a) == tensors(b)) << "the optimisers' state differs in " << b;
}

TEST(Loop, StoppedAfterAnyUpdateAndResumed) {
  const Folders folders;
  for (const ScheduleKind kind : {ScheduleKind::poly, ScheduleKind::plateau}) {
    const fs::path whole = folders.path / ("whole" + std::to_string(int(kind)));
    EXPECT_EQ(run(whole, false, {}, kind).reason, EndReason::epochs);
    for (const double every : {0.0, 1e9})
      for (int64_t stop = 1; stop <= kEpochs * kSteps; ++stop) {
        const fs::path broken =
            folders.path / (std::to_string(int(kind)) + (every == 0 ? "_often_" : "_rarely_") + std::to_string(stop));
        EXPECT_EQ(run(broken, false, {.checkpoint_every = every, .stop_after_steps = stop}, kind).reason,
                  EndReason::killed_for_test);
        EXPECT_EQ(run(broken, true, {.checkpoint_every = every}, kind).reason, EndReason::epochs);
        expect_equal(whole, broken);
      }
  }
}

TEST(Loop, AStepThatDoesNotEndIsLeftAfterASignal) {
  const Folders folders;
  Small a(ScheduleKind::poly, false);
  const RunFolder folder = RunFolder::create(folders.path);
  const SignalWatch signals;
  SignalWatch::set_patience(0);
  const auto step = a.t.step;
  a.t.step = [&](int epoch, int64_t index) {
    if (epoch == 0) return step(epoch, index);
    std::raise(SIGTERM);
    for (;;) a.loss_of(0, 0);
  };
  const LoopResult r = a.run(folder, {.epochs = 3});
  SignalWatch::set_patience(10);
  EXPECT_EQ(r.reason, EndReason::signal_in_step);
  EXPECT_FALSE(r.finished());
  EXPECT_EQ(load_checkpoint(folder.file(kCheckpointFile)).state.epoch, 1);  // what was saved before it
}

TEST(Loop, StoppedAndResumedWithAveragedWeights) {
  const Folders folders;
  const fs::path whole = folders.path / "whole", plain = folders.path / "plain";
  run(whole, false, {}, ScheduleKind::one_cycle, true);
  const std::pair<double, int64_t> stops[] = {{0, 1}, {0, kSteps}, {0, kSteps + 2}, {1e9, kSteps + 2}, {0, 12}};
  for (const auto& [every, stop] : stops) {
    const fs::path broken = folders.path / ((every == 0 ? "often_" : "rarely_") + std::to_string(stop));
    run(broken, false, {.checkpoint_every = every, .stop_after_steps = stop}, ScheduleKind::one_cycle, true);
    run(broken, true, {.checkpoint_every = every}, ScheduleKind::one_cycle, true);
    expect_equal(whole, broken);
  }
  // The averages are what was validated and saved; the training itself does not depend on them.
  run(plain, false, {}, ScheduleKind::one_cycle);
  const TensorFile saved = load_tensors(whole / kLastModelFile), raw = load_tensors(plain / kLastModelFile);
  const Checkpoint checkpoint = load_checkpoint(whole / kCheckpointFile);
  ASSERT_EQ(saved.tensors.size(), raw.tensors.size());
  for (const FileTensor& t : raw.tensors) {
    EXPECT_EQ(checkpoint.file.find(t.name)->values(), t.tensor.values()) << t.name;
    EXPECT_NE(saved.find(t.name)->values(), t.tensor.values()) << t.name;
  }
  const CsvTable with = read_csv_table(whole / "metrics.csv"), without = read_csv_table(plain / "metrics.csv");
  EXPECT_EQ(with.rows[2][1], without.rows[2][1]) << "train_loss";
  EXPECT_NE(with.rows[2][3], without.rows[2][3]) << "val_loss";
}

TEST(Loop, StoppedAfterEveryUpdateInTurn) {
  const Folders folders;
  const fs::path whole = folders.path / "whole", broken = folders.path / "broken";
  run(whole, false, {});
  for (int64_t stop = 1; stop <= kEpochs * kSteps; ++stop) {
    const LoopResult r = run(broken, stop > 1, {.checkpoint_every = 0, .stop_after_steps = stop});
    EXPECT_EQ(r.reason, EndReason::killed_for_test);
    EXPECT_EQ(r.state.step, stop);
  }
  run(broken, true, {});
  expect_equal(whole, broken);
}

TEST(Loop, TrainsAndItsDropoutMatters) {
  const Folders folders;
  run(folders.path / "a", false, {});
  const CsvTable metrics = read_csv_table(folders.path / "a/metrics.csv");
  EXPECT_EQ(metrics.columns,
            (std::vector<std::string>{"epoch", "train_loss", "lr", "val_loss", "mean_of_steps", "of_no_step"}))
      << "no time stands in metrics.csv";
  ASSERT_EQ(metrics.rows.size(), size_t(kEpochs));
  EXPECT_LT(metrics.rows.back()[1], metrics.rows.front()[1]);
  EXPECT_EQ(read_csv_table(folders.path / "a/timing.csv").rows.size(), size_t(kEpochs));
  Small with_another_seed(ScheduleKind::poly);
  default_generator().set(6);
  with_another_seed.run(RunFolder::create(folders.path / "b"), {.epochs = kEpochs});
  EXPECT_FALSE(read_file(folders.path / "a/metrics.csv") == read_file(folders.path / "b/metrics.csv"));
}

TEST(Loop, StopFileTimeBudgetAndPatience) {
  const Folders folders;
  {
    Small small(ScheduleKind::poly);
    const RunFolder folder = RunFolder::create(folders.path / "stop");
    const auto step = small.t.step;
    small.t.step = [&](int epoch, int64_t index) {
      if (epoch == 1 && index == 1) folder.write("stop", "");
      return step(epoch, index);
    };
    const LoopResult r = small.run(folder, {.epochs = kEpochs});
    EXPECT_EQ(r.reason, EndReason::stop_file);
    EXPECT_FALSE(r.finished());
    EXPECT_EQ(r.state.step, kSteps + 2);
    EXPECT_EQ(load_checkpoint(folder.file(kCheckpointFile)).state.step, kSteps + 2);
  }
  run(folders.path / "stop", true, {});
  run(folders.path / "whole", false, {});
  expect_equal(folders.path / "whole", folders.path / "stop");

  const LoopResult brief = run(folders.path / "brief", false, {.time_budget = 1e-9});
  EXPECT_EQ(brief.reason, EndReason::time_budget);
  EXPECT_TRUE(brief.finished());
  EXPECT_TRUE(fs::exists(folders.path / "brief" / kBestModelFile)) << "a model is left even so";

  Small steady(ScheduleKind::poly);
  steady.t.validate = [](int) { return Validation{.score = 1, .loss = 1, .figures = {}}; };
  const LoopResult r = steady.run(RunFolder::create(folders.path / "patience"), {.epochs = 100, .patience = 2});
  EXPECT_EQ(r.reason, EndReason::patience);
  EXPECT_EQ(r.state.epoch, 3);
  EXPECT_EQ(r.state.best_epoch, 1);
}

TEST(Loop, DivergenceLeavesWhatWasSaved) {
  const Folders folders;
  Small small(ScheduleKind::poly);
  const RunFolder folder = RunFolder::create(folders.path / "run");
  const auto step = small.t.step;
  small.t.step = [&](int epoch, int64_t index) {
    StepResult r = step(epoch, index);
    if (epoch == 1 && index == 2) r.loss = std::numeric_limits<double>::quiet_NaN();
    return r;
  };
  EXPECT_EQ(small.run(folder, {.epochs = kEpochs}).reason, EndReason::diverged);
  EXPECT_EQ(load_checkpoint(folder.file(kCheckpointFile)).state.epoch, 1);
  EXPECT_FALSE(fs::exists(folder.file(kLastModelFile)));
}

// A GPU brings the losses one step later, which no file shows.
TEST(Loop, LateLosses) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const Folders folders;
  const fs::path whole = folders.path / "whole";
  run(whole, false, {});
  auto late = [&](const fs::path& folder, bool resume, LoopOptions options, float last = 0) {
    Small small(ScheduleKind::poly);
    small.losses_on = Device::cuda;
    const auto step = small.t.step;
    small.t.step = [&](int epoch, int64_t index) {
      StepResult r = step(epoch, index);
      EXPECT_TRUE(r.loss.late());
      if (last != 0 && epoch == 1 && index == kSteps - 1) r.loss.add(Tensor::full({1}, last).to(Device::cuda), 1);
      return r;
    };
    options.epochs = kEpochs;
    return small.run(resume ? RunFolder::resume(folder) : RunFolder::create(folder), options).reason;
  };
  EXPECT_EQ(late(folders.path / "late", false, {}), EndReason::epochs);
  expect_equal(whole, folders.path / "late");
  for (const int64_t stop : {1, kSteps, kSteps + 2}) {
    const fs::path broken = folders.path / std::to_string(stop);
    EXPECT_EQ(late(broken, false, {.checkpoint_every = 0, .stop_after_steps = stop}), EndReason::killed_for_test);
    EXPECT_EQ(late(broken, true, {}), EndReason::epochs);
    expect_equal(whole, broken);
  }
  // In the last step of an epoch: nothing is validated or saved behind it.
  const fs::path diverged = folders.path / "diverged";
  EXPECT_EQ(late(diverged, false, {}, std::numeric_limits<float>::infinity()), EndReason::diverged);
  EXPECT_EQ(load_checkpoint(diverged / kCheckpointFile).state.epoch, 1);
  EXPECT_FALSE(fs::exists(diverged / kLastModelFile));
}

TEST(Loop, AnotherTrainingsCheckpointIsRefused) {
  const Folders folders;
  run(folders.path / "run", false, {});
  bool begun = false;
  Small small(ScheduleKind::poly);
  small.t.identity["kind"] = "large";
  small.t.begin = [&] { begun = true; };
  try {
    small.run(RunFolder::resume(folders.path / "run"), {.epochs = kEpochs});
    ADD_FAILURE() << "it was accepted";
  } catch (const Error& e) {
    EXPECT_NE(e.sentence().find("was made with another kind (small, now large)"), std::string::npos) << e.sentence();
  }
  EXPECT_FALSE(begun);
}

}  // namespace
}  // namespace kern::training
