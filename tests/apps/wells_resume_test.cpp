// A training that is interrupted in any way and resumed leaves the same files as one that was not.
#include <signal.h>
#include <sys/mount.h>

#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "engine/atomic_file.h"
#include "engine/gpu.h"
#include "engine/tuning_file.h"
#include "tests/apps/kern_process.h"
#include "tests/apps/resumed.h"
#include "training/checkpoint.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

// Enough updates that a kill finds one under way.
Arguments longer(const std::string& data, const std::string& folder, const Arguments& more = {}) {
  Arguments a = train_arguments(data, folder, {"batch=1", "window=32"});
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

class Resume : public ::testing::Test {
 protected:
  void SetUp() override {
    synthesize(data);
    run_well(longer(data, whole));
  }
  TemporaryFolder folder;
  const std::string data = folder / "data", whole = folder / "whole", broken = folder / "broken";
};

TEST_F(Resume, KilledInsideEpochsAndResumedWithOtherThreadCounts) {
  int killed = 0;
  Arguments next = longer(data, broken, {"checkpoint_every=0s"});
  const char* threads[] = {"threads=2", "threads=1", "threads=2"};
  for (int round = 0; round < 3; ++round) {
    Process p(next);
    const bool inside = wait_until(p, [&] { return has_reached(broken, 2 * round, 3); });
    p.send(SIGKILL);
    if (p.wait().signal == SIGKILL && inside)
      killed += training::load_checkpoint(broken + "/checkpoint.safetensors").state.index > 0;
    next = {"wells", "train", "resume=" + broken, threads[round]};
  }
  EXPECT_GE(killed, 1) << "no kill met a training inside an epoch";
  run_well(next);
  expect_equal_files(whole, broken);
  for (const std::string& name : files_below(broken)) EXPECT_FALSE(contains(name, ".tmp")) << name;
}

TEST_F(Resume, AnLstmWithAveragedWeights) {
  const Arguments keys{"model=lstm", "channels=[4]",  "ema=0.9",       "schedule=one_cycle",
                       "strides=[]", "optimiser=sgd", "nesterov=true", "checkpoint_every=0s"};
  const std::string averaged = folder / "averaged";
  run_well(longer(data, averaged, keys));
  Process p(longer(data, broken, keys));
  wait_until(p, [&] { return has_reached(broken, 2, 3); });
  p.send(SIGKILL);
  p.wait();
  expect_refusal({"wells", "train", "resume=" + broken, "ema=0.5"}, {"another average of the weights"});
  run_well({"wells", "train", "resume=" + broken});
  expect_equal_files(averaged, broken);
}

// Two loaders, a second network or an average, more than one optimiser, the epoch's figures so far: all must come back.
class ResumeMethod : public ::testing::TestWithParam<const char*> {};

TEST_P(ResumeMethod, KilledInsideAnEpoch) {
  TemporaryFolder folder;
  const std::string data = folder / "data", whole = folder / "whole", broken = folder / "broken";
  synthesize(data, 8);
  Arguments keys{"labelled_fraction=0.5", "semi.unlabelled_batch=2", "semi.ramp=2",      "semi.threshold=0.3",
                 "adversarial.wait=2",    "checkpoint_every=0s",     "epoch_updates=10", "augment.noise=0.1"};
  const std::string method = GetParam();
  if (method == "seed") {
    keys = {"labelled_fraction=0.5", "method=adversarial",       "compat=seed",
            "adversarial.wait=1",    "class_weights=complement", "checkpoint_every=0s"};
  } else if (method == "monotone") {
    keys.insert(keys.end(), {"method=mean_teacher", "semi.monotone=true", "monotone=true", "residual_on=logistic"});
  } else {
    keys.push_back("method=" + method);
  }
  if (method == "cps") keys.push_back("ema=0.9");
  run_well(longer(data, whole, keys));
  bool inside;
  {
    Process p(longer(data, broken, keys));
    inside = wait_until(p, [&] { return has_reached(broken, 2, 3); });
    p.send(SIGKILL);
    p.wait();
  }
  run_well({"wells", "train", "resume=" + broken, "threads=2"});
  expect_equal_files(whole, broken);
  if (inside && method != "seed" && method != "monotone")
    expect_refusal(
        {"wells", "train", "resume=" + broken, "method=" + std::string(method == "cps" ? "fixmatch" : "cps")},
        {"another method"});
}
INSTANTIATE_TEST_SUITE_P(Methods, ResumeMethod,
                         ::testing::Values("supervised", "adversarial", "seed", "mean_teacher", "fixmatch", "cps",
                                           "monotone"),
                         [](const auto& i) { return std::string(i.param); });

// Rows were chosen by measuring; when it goes on the cache has changed its mind, and tuning is off besides.
TEST(ResumeTuned, GoesOnWithTheRowsItBeganWith) {
  TemporaryFolder folder;
  const std::string data = folder / "data", whole = folder / "whole", broken = folder / "broken";
  synthesize(data);
  const Environment tuned{{"KERN_TUNE", "on"}, {"XDG_CACHE_HOME", folder / "cache"}};
  run_well(longer(data, whole), tuned);
  const std::string cache = folder / "cache/kern/tuned.txt";
  const std::vector<TunedCase> measured = TuningFile(cache).cases();
  EXPECT_GE(measured.size(), 3u);
  EXPECT_TRUE(contains(run_well({"info", "--tuned"}, tuned).out, measured[0].spec));

  Process p(longer(data, broken, {"checkpoint_every=0s"}), tuned);
  ASSERT_TRUE(wait_until(p, [&] { return has_reached(broken, 1, 3); }));
  p.send(SIGKILL);
  p.wait();
  const auto choices = TuningFile(broken + "/tuned.txt").cases();
  ASSERT_FALSE(choices.empty());
  std::map<std::string, std::string> chosen;
  for (const TunedCase& c : measured) chosen[c.entry + c.spec] = c.impl;
  for (const TunedCase& c : choices) EXPECT_EQ(c.impl, chosen[c.entry + c.spec]) << "the second run found the cache";
  fs::remove(cache);
  TuningFile contrary(cache);
  for (TunedCase c : measured) {
    const std::string first = c.impls.substr(0, c.impls.find(','));
    c.impl = c.impl == first ? c.impls.substr(c.impls.rfind(',') + 1) : first;
    contrary.add(c);
  }
  run_well({"wells", "train", "resume=" + broken}, {{"KERN_TUNE", "off"}, tuned[1]});
  expect_equal_files(whole, broken);
}

TEST_F(Resume, WithTwoThreadsFromTheStart) {
  Process p(longer(data, broken, {"checkpoint_every=0s", "threads=2"}));
  wait_until(
      p, [&] { return has_reached(broken, 1, 2); });  // on a busy machine it may end first: equal it must be even so
  p.send(SIGKILL);
  p.wait();
  run_well({"wells", "train", "resume=" + broken, "threads=1"});
  expect_equal_files(whole, broken);
}

TEST_F(Resume, KilledBeforeTheFirstCheckpoint) {
  Process p(longer(data, broken));
  ASSERT_TRUE(wait_until(p, [&] { return fs::exists(broken + "/config.yaml"); }));
  p.send(SIGKILL);
  p.wait();
  run_well({"wells", "train", "resume=" + broken});
  expect_equal_files(whole, broken);
}

TEST_F(Resume, KilledBetweenEpochs) {
  Process p(longer(data, broken));  // checkpoints after epochs alone: the epoch under way is done again
  wait_until(p, [&] { return has_reached(broken, 1, 0); });
  p.send(SIGKILL);
  p.wait();
  run_well({"wells", "train", "resume=" + broken});
  expect_equal_files(whole, broken);
}

TEST_F(Resume, SignalsSaveAndSayHowToGoOn) {
  Arguments next = longer(data, broken, {"checkpoint_every=0s"});
  int stopped = 0;
  for (const int signal : {SIGINT, SIGTERM}) {
    Process p(next);
    const int epoch = signal == SIGINT ? 0 : 3;
    if (wait_until(p, [&] { return has_reached(broken, epoch, 2); })) {
      const training::LoopState before = training::load_checkpoint(broken + "/checkpoint.safetensors").state;
      p.send(signal);
      const Result r = p.wait();
      const bool told = contains(r.out, "stopped (interrupted)");  // or it was done before
      EXPECT_EQ(r.code, told ? 128 + signal : 0) << r.signal << r.err;
      if (told) {
        ++stopped;
        EXPECT_TRUE(contains(r.out, "go on with: kern wells train resume=" + broken)) << r.out;
        EXPECT_GE(training::load_checkpoint(broken + "/checkpoint.safetensors").state.step, before.step)
            << "nothing may be lost";
        EXPECT_TRUE(fs::exists(broken + "/model_last.safetensors"));
        EXPECT_FALSE(fs::exists(broken + "/result.json"));
      }
    }
    next = {"wells", "train", "resume=" + broken};
  }
  EXPECT_GE(stopped, 1);
  run_well(next);
  expect_equal_files(whole, broken);
}

TEST_F(Resume, StopFile) {
  Process p(longer(data, broken, {"checkpoint_every=0s"}));
  if (!wait_until(p, [&] { return has_reached(broken, 1, 2); }))
    GTEST_SKIP() << "the training ended before this busy machine could stop it";
  write_file(broken + "/stop", "");
  const Result r = p.wait();
  EXPECT_EQ(r.code, 0);
  EXPECT_TRUE(contains(r.out, "stopped (stop file) and saved; go on with: kern wells train resume=")) << r.out << r.err;
  run_well({"wells", "train", "resume=" + broken});
  EXPECT_FALSE(fs::exists(broken + "/stop"));
  expect_equal_files(whole, broken);
}

TEST_F(Resume, AFinishedRunIsEvaluatedAgainOrGoesFurther) {
  const std::string model = read_file(whole + "/model_last.safetensors"), metrics = read_file(whole + "/metrics.csv");
  run_well({"wells", "train", "resume=" + whole});
  EXPECT_TRUE(model == read_file(whole + "/model_last.safetensors"));
  EXPECT_EQ(metrics, read_file(whole + "/metrics.csv"));
  run_well({"wells", "train", "resume=" + whole, "epochs=7"});
  const std::string further = read_file(whole + "/metrics.csv");
  EXPECT_EQ(further.substr(0, metrics.size()), metrics);
  EXPECT_TRUE(contains(further, "\n7,"));
  EXPECT_TRUE(contains(read_file(whole + "/config.yaml"), "epochs: 7"));
  EXPECT_TRUE(contains(read_file(whole + "/config.yaml"), "resume: \"\"")) << "the configuration serves a new run";
}

TEST_F(Resume, WhatDoesNotFitIsRefusedAndChangesNothing) {
  const std::string before = read_file(whole + "/config.yaml"),
                    checkpoint = read_file(whole + "/checkpoint.safetensors");
  expect_refusal({"wells", "train", "resume=" + whole, "seed=5"}, {"seed 1", "5"});
  expect_refusal({"wells", "train", "resume=" + whole, "channels=[4,4]"}, {"does not fit this model"});
  expect_refusal({"wells", "train", "resume=" + whole, "model=unet", "strides=[1]"}, {"another model", "unet_strided"});
  synthesize(folder / "other", 5);
  expect_refusal({"wells", "train", "resume=" + whole, "data=" + (folder / "other")}, {"another data"});
  expect_refusal({"wells", "train", "resume=" + whole, "nonsense=1"}, {"unknown key 'nonsense'"});
  EXPECT_EQ(read_file(whole + "/config.yaml"), before);
  EXPECT_TRUE(checkpoint == read_file(whole + "/checkpoint.safetensors"));
  write_file(whole + "/checkpoint.safetensors", checkpoint.substr(0, checkpoint.size() / 2));
  expect_refusal({"wells", "train", "resume=" + whole}, {"checkpoint.safetensors"});
}

TEST_F(Resume, TheRunsConfigurationRepeatsIt) {
  run_well({"wells", "train", whole + "/config.yaml", "run=" + broken, "threads=2"});
  expect_equal_files(whole, broken);
}

TEST_F(Resume, TwoProcessesOnOneFolder) {
  Process p(longer(data, broken, {"epochs=100000"}));
  ASSERT_TRUE(wait_until(p, [&] { return has_reached(broken, 1, 0); }));
  expect_refusal({"wells", "train", "resume=" + broken}, {"another process is writing the run"});
  EXPECT_TRUE(p.running());
}

// On a GPU, emulated or real: steps are recorded and replayed, losses read late, and the files are those of a training
// that was not broken off and of one that records nothing.
TEST(OnAGpu, KilledAndResumedAndWithoutRecords) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  TemporaryFolder folder;
  const std::string data = folder / "data", whole = folder / "whole", broken = folder / "broken",
                    eager = folder / "eager";
  synthesize(data, 4, 100);
  auto arguments = [&](const std::string& run_folder, const std::string& more) {
    return train_arguments(data, run_folder, {"device=cuda", "epochs=3", "window=32", "clip=1", more});
  };
  run_well(arguments(whole, "accumulate=1"));
  Process p(arguments(broken, "checkpoint_every=0s"));
  wait_until(p, [&] { return has_reached(broken, 1, 2); });
  p.send(SIGKILL);
  p.wait();
  run_well({"wells", "train", "resume=" + broken});
  expect_equal_files(whole, broken);
  run_well(arguments(eager, "accumulate=1"), {{"KERN_GRAPH", "off"}});
  expect_equal_files(whole, eager);
  const Result diverged = run(arguments(folder / "diverged", "lr=1e30"));
  EXPECT_EQ(diverged.code, 1);
  EXPECT_TRUE(contains(diverged.err, "diverged") && contains(diverged.err, "Lower lr")) << diverged.err;
  const Result refused = run(arguments(folder / "refused", "accumulate=1"), {{"KERN_GRAPH", "of"}});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(contains(refused.err, "KERN_GRAPH=of: use on")) << refused.err;
}

TEST(Stopping, TimeBudgetFinishesTheRun) {
  TemporaryFolder folder;
  const std::string data = folder / "data", trained = folder / "run";
  synthesize(data, 3);
  run_well(train_arguments(data, trained, {"epochs=1000000", "time_budget=1s"}));
  EXPECT_TRUE(contains(read_file(trained + "/result.json"), "\"ended\": \"time budget used\""));
  EXPECT_TRUE(fs::exists(trained + "/model.safetensors"));
  EXPECT_TRUE(contains(read_file(trained + "/report.html"), "</html>"));
  const std::string metrics = read_file(trained + "/metrics.csv"),
                    last = read_file(trained + "/model_last.safetensors");
  run_well({"wells", "train", "resume=" + trained});  // its time is used up
  EXPECT_EQ(metrics, read_file(trained + "/metrics.csv"));
  EXPECT_TRUE(last == read_file(trained + "/model_last.safetensors"));
}

TEST(Stopping, ABudgetShorterThanTheFirstEpochLeavesAModelAndAReport) {
  TemporaryFolder folder;
  const std::string data = folder / "data", trained = folder / "run";
  synthesize(data, 3);
  run_well(train_arguments(data, trained, {"time_budget=0.0001s"}));
  EXPECT_TRUE(fs::exists(trained + "/model.safetensors"));
  EXPECT_TRUE(fs::exists(trained + "/report.html"));
  run_well({"wells", "predict", "model=" + trained, "data=" + data, "out=" + (folder / "out")});
}

TEST(Stopping, Patience) {
  TemporaryFolder folder;
  const std::string data = folder / "data", trained = folder / "run";
  synthesize(data, 3);
  run_well(train_arguments(data, trained, {"epochs=1000", "patience=2", "lr=1e-12"}));  // nothing ever improves
  EXPECT_TRUE(contains(read_file(trained + "/result.json"), "\"ended\": \"no improvement within the patience\""));
  EXPECT_TRUE(contains(read_file(trained + "/result.json"), "\"epochs\": 3"));
}

TEST(Stopping, ADivergedTrainingIsSaid) {
  TemporaryFolder folder;
  const std::string data = folder / "data", trained = folder / "run";
  synthesize(data, 3);
  expect_refusal(train_arguments(data, trained, {"lr=1e30"}), {"diverged", "Lower lr"});
  EXPECT_FALSE(fs::exists(trained + "/result.json"));
}

// A disk that fills up while the run is written: a sentence, and what was saved before stays whole.
TEST(Stopping, FullDisk) {
  TemporaryFolder folder;
  const std::string data = folder / "data", disk = folder / "disk";
  synthesize(data, 3);
  fs::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=200k") != 0)
    GTEST_SKIP() << "only root may mount the small disk that this test fills";
  expect_refusal(train_arguments(data, disk + "/run"), {"the disk of the run folder", "kB free"});
  expect_refusal({"wells", "synthesize", "out=" + disk + "/wells", "wells=100", "samples=1000"}, {"the disk is full"});
  for (const std::string& name : files_below(disk)) EXPECT_FALSE(contains(name, ".tmp")) << name;
  ::umount(disk.c_str());
  ASSERT_EQ(::mount("none", disk.c_str(), "tmpfs", 0, "size=1300k"), 0);
  expect_refusal(train_arguments(data, disk + "/run", {"channels=[32,128]", "kernel=9"}),
                 {"the disk is full", "safetensors"});
  for (const std::string& name : files_below(disk)) EXPECT_FALSE(contains(name, ".tmp")) << name;
  if (fs::exists(disk + "/run/checkpoint.safetensors")) {
    EXPECT_NO_THROW(training::load_checkpoint(disk + "/run/checkpoint.safetensors"));
  }
  ::umount(disk.c_str());
}

}  // namespace
}  // namespace kern::testing
