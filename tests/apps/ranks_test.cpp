// Trainings by several ranks: the figures of one process, the same bits every time, gone on with by another number.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"
#include "tests/support/image_folder.h"
#include "training/csv_log.h"

namespace kern::testing {
namespace {

#define SKIP_WITHOUT_MPI() \
  if (!mpi_launcher()) GTEST_SKIP() << "built without MPI"

// metrics.csv of both runs: the same epochs and columns, values that differ by rounding.
void expect_close_metrics(const std::string& one, const std::string& other, double bound) {
  const auto a = training::read_csv_table(one + "/metrics.csv"), b = training::read_csv_table(other + "/metrics.csv");
  ASSERT_EQ(a.columns, b.columns);
  ASSERT_EQ(a.rows.size(), b.rows.size());
  ASSERT_GT(a.rows.size(), 1u);
  for (size_t i = 0; i < a.rows.size(); ++i)
    for (size_t j = 0; j < a.columns.size(); ++j)
      EXPECT_NEAR(a.rows[i][j], b.rows[i][j], bound) << a.columns[j] << " of epoch " << i + 1;
}

// training(run) names a training; one process, two ranks twice, three ranks.
template <class F>
void expect_ranks_train_alike(const TemporaryFolder& folder, const F& training, double bound) {
  run_ranks_well(1, training(folder / "one"));
  run_ranks_well(2, training(folder / "two"));
  run_ranks_well(2, training(folder / "again"));
  run_ranks_well(3, training(folder / "three"));
  expect_close_metrics(folder / "one", folder / "two", bound);
  expect_close_metrics(folder / "one", folder / "three", bound);
  for (const char* file : {"/model.safetensors", "/metrics.csv"})
    EXPECT_EQ(read_file(folder / "two" + file), read_file(folder / "again" + file)) << file;
  EXPECT_EQ(files_below(folder / "one"), files_below(folder / "two"));
}

TEST(Ranks, TrainOnWells) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  synthesize(folder / "data");
  // Three windows a batch for two ranks, the last of an epoch for fewer than three.
  expect_ranks_train_alike(
      folder,
      [&](const std::string& run) {
        return train_arguments(folder / "data", run, {"batch=3", "epochs=3", "norm=instance", "class_weights=inverse"});
      },
      2e-4);
}

TEST(Ranks, TrainOnImagesWithAccumulatedBatches) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 10);
  expect_ranks_train_alike(
      folder,
      [&](const std::string& run) -> Arguments {
        return {"images",
                "train",
                "data=" + folder / "data",
                "masks=nonzero",
                "channels=4,8",
                "batch=4",
                "accumulate=2",
                "epochs=2",
                "lr=0.01",
                "seed=3",
                "augment.noise=0.05",
                "quiet=true",
                "threads=1",
                "run=" + run};
      },
      1e-3);  // batch norm is over all ranks' images
}

TEST(Ranks, TrainOnSections) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  expect_ranks_train_alike(
      folder,
      [&](const std::string& run) -> Arguments {
        return {"faults",
                "train",
                "sections=6",
                "batch=3",
                "epochs=2",
                "validation_sections=2",
                "channels=[2,4]",
                "synthetic.crosslines=32",
                "synthetic.samples=32",
                "threads=1",
                "quiet=true",
                "run=" + run};
      },
      5e-2);
}

TEST(Ranks, TrainOnGoodImages) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  run_well({"anomalies", "synthesize", "out=" + folder / "data", "training=9", "validation=4", "validation_spills=2",
            "test=2", "test_spills=2", "height=32", "width=32"});
  expect_ranks_train_alike(
      folder,
      [&](const std::string& run) -> Arguments {
        return {"anomalies",  "train",     "data=" + folder / "data", "model=ae", "batch=4", "epochs=2", "threads=1",
                "quiet=true", "run=" + run};
      },
      1e-3);
}

// Labelled and unlabelled batches are shared, and so is what they count: labels by class weights, positions that take part
// as they move, labels that the network gave itself.
class RanksMethod : public ::testing::TestWithParam<const char*> {};

TEST_P(RanksMethod, TrainsAsOneProcess) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  const std::string method = GetParam();
  synthesize(folder / "data", 8);
  // Batch norm over all ranks' windows; batches of four and five windows, the last of a pass for fewer than three ranks.
  const auto training = [&](const std::string& run) {
    return train_arguments(folder / "data", run,
                           {"method=" + method, "labelled_fraction=0.4", "batch=4", "semi.unlabelled_batch=5",
                            "epochs=2", "epoch_updates=6", "semi.threshold=0.3", "semi.ramp=0", "adversarial.wait=0",
                            "adversarial.threshold=0.1", "norm=batch", "class_weights=inverse", "clip=1"});
  };
  run_ranks_well(1, training(folder / "one"));
  run_ranks_well(3, training(folder / "three"));
  expect_close_metrics(folder / "one", folder / "three", 1e-4);
  if (method != "mean_teacher") return;
  run_ranks_well(3, training(folder / "again"));
  EXPECT_EQ(read_file(folder / "three/model.safetensors"), read_file(folder / "again/model.safetensors"));
}
INSTANTIATE_TEST_SUITE_P(Methods, RanksMethod, ::testing::Values("mean_teacher", "fixmatch", "cps", "adversarial"),
                         [](const auto& i) { return std::string(i.param); });

TEST(Ranks, LearnFromUnlabelledImages) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  write_squares(folder / "data", 10);
  const auto training = [&](const std::string& run) -> Arguments {
    return {"images",
            "train",
            "data=" + folder / "data",
            "masks=nonzero",
            "method=unimatch",
            "labelled_fraction=0.5",
            "semi.threshold=0.3",
            "semi.feature_dropout=0",
            "augment.rotate=10",
            "channels=4,8",
            "size=16,16",
            "fit=crop",
            "batch=3",
            "epochs=2",
            "lr=0.01",
            "seed=3",
            "panels=0",
            "report_images=0",
            "quiet=true",
            "threads=1",
            "run=" + run};
  };
  run_ranks_well(1, training(folder / "one"));
  run_ranks_well(2, training(folder / "two"));
  expect_close_metrics(folder / "one", folder / "two", 1e-4);
}

// Everybody adds what everybody found, in the order of images.
TEST(Ranks, FitPadimToTheBytesOfOneProcess) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  run_well({"anomalies", "synthesize", "out=" + folder / "data", "training=10", "validation=3", "validation_spills=2",
            "test=2", "test_spills=2", "height=32", "width=32"});
  for (const int ranks : {1, 3})
    run_ranks_well(ranks, {"anomalies", "train", "data=" + folder / "data", "model=padim", "encoder.width=0.35",
                           "padim.channels=6", "calibration=left_out", "resamples=50", "threads=1", "quiet=true",
                           "report_images=0", "run=" + folder / std::to_string(ranks)});
  for (const char* file : {"/model.safetensors", "/scores.csv"})
    EXPECT_EQ(read_file(folder / "1" + file), read_file(folder / "3" + file)) << file;
}

#ifdef KERN_FAKE_NCCL
// Steps of two emulated GPUs, recorded and replayed, are those of one with the whole batch.
TEST(Ranks, TrainOnGpus) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  synthesize(folder / "data");
  const auto training = [&](const std::string& run, const Arguments& more) {
    Arguments a = train_arguments(folder / "data", run, {"batch=3", "epochs=2", "norm=instance", "device=cuda"});
    a.insert(a.end(), more.begin(), more.end());
    return a;
  };
  const Environment nccl{{"KERN_NCCL", KERN_FAKE_NCCL}};
  run_ranks_well(1, training(folder / "one", {}), nccl);
  run_ranks_well(2, training(folder / "two", {}), nccl);
  run_ranks_well(2, training(folder / "again", {}), nccl);
  expect_close_metrics(folder / "one", folder / "two", 1e-5);
  EXPECT_EQ(read_file(folder / "two/model.safetensors"), read_file(folder / "again/model.safetensors"));
  const auto refusal = [&](const Arguments& more, const Environment& environment) {
    const Result r = run_ranks(2, training(folder / "refused", more), environment);
    EXPECT_EQ(r.code, 1);
    return r.err;
  };
  EXPECT_TRUE(contains(refusal({}, {{"KERN_NCCL", "off"}}), "several ranks on GPUs need NCCL"));
  EXPECT_TRUE(contains(refusal({"norm=batch", "sync_batch_norm=on"}, nccl), "sync_batch_norm=on is for CPUs"));
  // Batch norms: each GPU's own statistics, and the mean of what they keep, as on CPUs without sync_batch_norm.
  const Arguments batch{"norm=batch", "sync_batch_norm=off"};
  Arguments on_cpu = batch;
  on_cpu.push_back("device=cpu");
  run_ranks_well(2, training(folder / "batch_cpu", on_cpu), nccl);
  run_ranks_well(2, training(folder / "batch", batch), nccl);
  run_ranks_well(2, training(folder / "batch_again", batch), nccl);
  expect_close_metrics(folder / "batch_cpu", folder / "batch", 1e-3);
  EXPECT_EQ(read_file(folder / "batch/model.safetensors"), read_file(folder / "batch_again/model.safetensors"));
  // Shares go into the recorded step with the batches.
  const Arguments semi{"method=fixmatch", "labelled_fraction=0.5", "semi.threshold=0.3"};
  run_ranks_well(1, training(folder / "semi_one", semi), nccl);
  run_ranks_well(2, training(folder / "semi_two", semi), nccl);
  expect_close_metrics(folder / "semi_one", folder / "semi_two", 1e-4);
}
#endif

// Two epochs by three ranks, two more by one or two: the checkpoint knows no ranks.
TEST(Ranks, GoOnWithAnyNumber) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  synthesize(folder / "data");
  const Arguments more{"batch=3", "norm=instance", "schedule=constant"};
  const auto training = [&](const std::string& run, const std::string& epochs) {
    Arguments a = train_arguments(folder / "data", run, more);
    a.push_back("epochs=" + epochs);
    return a;
  };
  run_well(training(folder / "whole", "4"));
  for (const int ranks : {1, 2}) {
    const std::string run = folder / ("by" + std::to_string(ranks));
    run_ranks_well(3, training(run, "2"));
    run_ranks_well(ranks, {"wells", "train", "resume=" + run, "epochs=4", "threads=1"});
    expect_close_metrics(folder / "whole", run, 1e-3);
  }
}

TEST(Ranks, RefuseWhatOneProcessDoes) {
  SKIP_WITHOUT_MPI();
  const TemporaryFolder folder;
  synthesize(folder / "data");
  const auto refusal = [&](int ranks, const Arguments& more) {
    const Result r = run_ranks(ranks, train_arguments(folder / "data", folder / "run", more));
    EXPECT_EQ(r.code, 1);
    return r.err;
  };
  EXPECT_TRUE(contains(refusal(3, {"batch=2"}), "each needs a sample at least"));
  EXPECT_TRUE(contains(refusal(2, {"method=mean_teacher", "labelled_fraction=0.5", "semi.unlabelled_batch=1"}),
                       "set a larger semi.unlabelled_batch="));
  // Five images in batches of three: the last two are one for each rank, and 4 x 4 pixels end in a single one.
  write_squares(folder / "images", 7, 4, 4);
  const auto single = [&](const std::string& sync) {
    return run_ranks(2, {"images", "train", "data=" + folder / "images", "masks=nonzero", "channels=4,4,8", "batch=3",
                         "epochs=1", "threads=1", "quiet=true", "sync_batch_norm=" + sync, "run=" + folder / "single"});
  };
  const std::string refused = single("off").err;
  EXPECT_TRUE(contains(refused, "a rank has a single one of a batch")) << refused;
  EXPECT_TRUE(contains(refused, "or sync_batch_norm=on")) << refused;
  EXPECT_EQ(single("on").code, 0);
  EXPECT_TRUE(contains(run_ranks(2, {"wells", "inspect", "data=" + folder / "data"}).err, "is done by one process"));
}

}  // namespace
}  // namespace kern::testing
