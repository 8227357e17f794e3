// The semi-supervised methods on images, through the program.
#include "tests/apps/resumed.h"
#include "tests/support/image_folder.h"
#include "tests/support/source_files.h"

namespace kern::testing {
namespace {

Arguments methods_training(const std::string& data, const std::string& run, const Arguments& more = {}) {
  Arguments a{"images",   "train",      "data=" + data, "masks=nonzero",     "channels=4,8",   "batch=2",
              "epochs=4", "lr=0.01",    "panels=0",     "quiet=true",        "threads=1",      "run=" + run,
              "seed=3",   "size=16,16", "fit=crop",     "augment.rotate=10", "report_images=0"};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

// Two loaders, a second network or an average, more than one optimiser, the epoch's figures so far: all must come back.
class ImagesMethod : public ::testing::TestWithParam<const char*> {};

TEST_P(ImagesMethod, KilledInsideAnEpochAndResumed) {
  const TemporaryFolder folder;
  const std::string data = folder / "data", whole = folder / "whole", broken = folder / "broken", method = GetParam();
  write_squares(data, 10);
  Arguments keys{"labelled_fraction=0.5", "semi.unlabelled_batch=3", "semi.ramp=2",     "semi.threshold=0.3",
                 "adversarial.wait=2",    "checkpoint_every=0s",     "epoch_updates=8", "method=" + method};
  if (method == "cps") keys.push_back("ema=0.9");
  if (method == "adversarial") keys.insert(keys.end(), {"epochs=3", "epoch_updates=4"});  // its checkpoints are large
  run_well(methods_training(data, whole, keys));
  {
    Process p(methods_training(data, broken, keys));
    wait_until(p, [&] { return has_reached(broken, 1, 2); });
    p.send(SIGKILL);
    p.wait();
  }
  run_well({"images", "train", "resume=" + broken, "threads=2"});
  expect_equal_files(whole, broken);
  const std::string result = read_file(whole + "/result.json");
  EXPECT_TRUE(contains(result, "\"method\": \"" + method + "\"")) << result;
  EXPECT_TRUE(contains(result, "\"labelled_images\": 4")) << result;
  if (method != "supervised") {
    EXPECT_TRUE(contains(result, "\"unlabelled_images\": 3")) << result;
    EXPECT_TRUE(contains(read_file(whole + "/report.html"), "Parts of the loss"));
    EXPECT_TRUE(contains(read_file(whole + "/metrics.csv"), "loss_labelled"));
  }
}
INSTANTIATE_TEST_SUITE_P(Methods, ImagesMethod,
                         ::testing::Values("supervised", "adversarial", "mean_teacher", "fixmatch", "unimatch", "cps"),
                         [](const auto& i) { return std::string(i.param); });

TEST(ImagesMethods, UnimatchIsEqualByOneAndThreeThreads) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  write_squares(data, 8);
  for (const std::string threads : {"1", "3"})
    run_well(methods_training(data, folder / threads,
                              {"method=unimatch", "labelled_fraction=0.5", "semi.threshold=0.3", "epochs=2",
                               "semi.feature_dropout=0.3", "threads=" + threads}));
  expect_equal_files(folder / "1", folder / "3");
}

TEST(ImagesMethods, LearnFromAFolderWithoutMasks) {
  const TemporaryFolder folder;
  const std::string data = folder / "data", run_folder = folder / "run";
  write_squares(data, 6);
  write_squares(folder.path() / "more", 3, 20, 40);
  const Result r = run_well(
      methods_training(data, run_folder, {"method=fixmatch", "epochs=1", "unlabelled=" + folder / "more/images"}));
  EXPECT_TRUE(contains(r.out + r.err, "method=fixmatch uses 3 images without labels (3 have none")) << r.out << r.err;
  const Result ignored = run_well(methods_training(data, folder / "run2", {"epochs=1", "labelled_fraction=0.3"}));
  EXPECT_TRUE(contains(ignored.out + ignored.err, "method=supervised ignores the 2 images without labels"))
      << ignored.out << ignored.err;
}

TEST(ImagesMethods, TheSecondNetworkOfCpsHasTheEncoderOfTheFirst) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  write_squares(data, 8);
  run_well(
      methods_training(data, folder / "run",
                       {"method=cps", "labelled_fraction=0.5", "epochs=1", "epoch_updates=1", "model=mobilenet_unet",
                        "channels=8,8,8,8", "size=64,64", "fit=scale", "encoder.frozen=2", "encoder.lr=0.1"}));
}

// Norms are put back anew when the training goes on, in both networks, and then come out of the checkpoint.
TEST(ImagesMethods, NormsPutBackKilledAndResumed) {
  const std::filesystem::path weights = source_file("../shared/data/weights/mobilenetv2_imagenet.safetensors");
  if (!std::filesystem::exists(weights)) GTEST_SKIP() << "the shared weights are not there";
  const TemporaryFolder folder;
  const std::string data = folder / "data", whole = folder / "whole", broken = folder / "broken";
  write_squares(data, 8);
  const Arguments keys{"method=cps",
                       "labelled_fraction=0.5",
                       "epochs=2",
                       "epoch_updates=2",
                       "model=mobilenet_unet",
                       "channels=8,8,8,8",
                       "size=64,64",
                       "fit=scale",
                       "encoder.weights=" + weights.string(),
                       "encoder.lr=0.1",
                       "encoder.unfold=true",
                       "encoder.frozen=1",
                       "checkpoint_every=0s"};
  const Result first = run_well(methods_training(data, whole, keys));
  EXPECT_TRUE(contains(first.out + first.err, "51 batch norms are put back, by the statistics of 3 images"))
      << first.out << first.err;
  {
    Process p(methods_training(data, broken, keys));
    wait_until(p, [&] { return has_reached(broken, 0, 1); });
    p.send(SIGKILL);
    p.wait();
  }
  run_well({"images", "train", "resume=" + broken, "threads=2"});
  expect_equal_files(whole, broken);
  run_well({"images", "evaluate", "model=" + whole, "data=" + data, "images=all", "run=" + folder / "evaluated"});
}

// 6 images train in batches of 2: 3 updates an epoch.
TEST(ImagesMethods, FewImagesAreTrainedForAsManyUpdatesAsAreAskedFor) {
  const TemporaryFolder folder;
  const std::string data = folder / "data", run = folder / "run";
  write_squares(data, 8);
  const Arguments keys{"epochs=2", "min_updates=7", "class_weights=inverse_root"};
  const Result r = run_well(methods_training(data, run, keys));
  EXPECT_TRUE(contains(r.out + r.err, "3 updates an epoch: 3 epochs instead of 2")) << r.out << r.err;
  EXPECT_TRUE(contains(read_file(run + "/result.json"), "\"epochs\": 3")) << read_file(run + "/result.json");
  run_well({"images", "train", "resume=" + run});
  const Result enough = run_well(methods_training(data, folder / "enough", {"epochs=2", "min_updates=6"}));
  EXPECT_TRUE(contains(read_file(folder / "enough/result.json"), "\"epochs\": 2"));
  EXPECT_FALSE(contains(enough.out + enough.err, "instead of"));
}

TEST(ImagesMethods, WhatDoesNotFitIsSaid) {
  const TemporaryFolder folder;
  const std::string data = folder / "data", out = folder / "run", hidden = "labelled_fraction=0.5";
  write_squares(data, 7);
  expect_refusal(methods_training(data, out, {"model=mobilenet_unet", "encoder.unfold=true"}), {"encoder.weights="});
  expect_refusal(methods_training(data, out, {"method=fixmatch"}), {"learns from unlabelled images", "unlabelled="});
  expect_refusal(methods_training(data, out, {"method=cps", hidden, "loss={bce: 1}"}), {"loss={ce: 1}"});
  expect_refusal(methods_training(data, out, {"method=cps", "unlabelled=nowhere"}),
                 {"unlabelled=nowhere is no folder"});
  expect_refusal(methods_training(data, out, {"method=adversarial", hidden, "adversarial.discriminator=unet"}),
                 {"fcn"});
}

// 5 images train, in batches of 2: the last has one, of which the deepest level has one pixel.
TEST(ImagesMethods, ABatchOfOneTinyImageIsRefusedBeforeTheTraining) {
  const TemporaryFolder folder;
  const std::string data = folder / "data", out = folder / "run";
  write_squares(data, 7, 4, 4);
  const auto refused = [&](const Arguments& keys, const std::vector<std::string>& words) {
    Arguments a{"images", "train", "data=" + data, "masks=nonzero", "quiet=true", "epochs=1", "run=" + out};
    a.insert(a.end(), keys.begin(), keys.end());
    expect_refusal(a, words);
  };
  refused({"channels=4,4,8", "batch=2"}, {"of 5 images in batches of 2", "a single pixel at 4 x 4", "Set batch=3"});
  refused({"channels=4,4,8", "batch=1"}, {"of 5 images in batches of 1", "Set batch=3"});
  run_well({"images", "train", "data=" + data, "masks=nonzero", "quiet=true", "epochs=1", "run=" + out,
            "channels=4,4,8", "batch=3"});
}

}  // namespace
}  // namespace kern::testing
