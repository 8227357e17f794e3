// kern anomalies, run as a person runs it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <regex>
#include <sstream>
#include <thread>

#include "data/image.h"
#include "data/spills_synthetic.h"
#include "engine/atomic_file.h"
#include "engine/json.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

// Images of a conveyor: train, validation and test, with masks.
void make_data(const std::string& folder, const Arguments& more = {}) {
  Arguments a{"anomalies", "synthesize",           "out=" + folder, "training=60",    "validation=30",
              "test=20",   "validation_spills=20", "test_spills=8", "test_strength=1"};
  a.insert(a.end(), more.begin(), more.end());
  run_well(a);
}

void write_images(const fs::path& folder, int count, bool spill, int first = 0, double strength = 1) {
  make_folder(folder);
  for (int i = first; i < first + count; ++i)
    write_file(folder / ("p" + std::to_string(i) + ".png"),
               data::encode_png(data::spill_image(i, spill, {.strength = strength}).image));
}

Arguments small_training(const std::string& data, const std::string& run, const Arguments& more = {}) {
  Arguments a{"anomalies", "train",      "data=" + data, "model=ae",     "channels=32", "code=4",    "epochs=3",
              "batch=16",  "quiet=true", "threads=1",    "resamples=50", "panels=2",    "run=" + run};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

TEST(AnomaliesApp, TrainsEvaluatesAndPredictsFromTheModelFileAlone) {
  const TemporaryFolder folder;
  make_data(folder / "data");
  const Result trained = run_well(small_training(folder / "data", folder / "run",
                                                 {"epochs=20", "lr=0.01", "batch=8", "--json", folder / "f.json"}));
  EXPECT_TRUE(contains(trained.out, "by rule quantile")) << trained.out;
  const nlohmann::json figures = json_of(folder / "f.json");
  EXPECT_GT(figures["auroc"].get<double>(), 0.9);
  EXPECT_GT(figures["pixel_auroc"].get<double>(), 0.8);
  EXPECT_GT(figures["pro"].get<double>(), 0.3);
  EXPECT_EQ(figures["rules"].size(), 7u);
  EXPECT_EQ(figures["rules_tpr"].size(), 7u);
  const std::string report = read_file(folder / "run/report.html");
  for (const char* word : {"class=\"explorer\"", "Anomalies found", "unseen", "youden", "data:image/png;base64,"})
    EXPECT_TRUE(contains(report, word)) << word;
  EXPECT_TRUE(fs::exists(folder / "run/panels/epoch_0001.png"));

  const Result evaluated = run_well({"anomalies", "evaluate", "model=" + folder / "run", "data=" + folder / "data",
                                     "images=test", "run=" + folder / "evaluated", "--json", folder / "e.json"});
  EXPECT_TRUE(contains(evaluated.out, "20 good images, 8 anomalies")) << evaluated.out;
  for (const char* name : {"auroc", "tpr", "tnr", "pixel_auroc", "pro", "threshold"})
    EXPECT_DOUBLE_EQ(json_of(folder / "e.json")[name].get<double>(), figures[name].get<double>()) << name;
  // Without a word: neither what trained the network nor what its threshold was set by.
  const Result unseen = run_well(
      {"anomalies", "evaluate", "model=" + folder / "run", "data=" + folder / "data", "run=" + folder / "unseen"});
  EXPECT_TRUE(contains(unseen.out, "20 good images, 8 anomalies")) << unseen.out;
  EXPECT_TRUE(contains(unseen.out + unseen.err, "trained or validated this model and are left out")) << unseen.err;

  fs::rename(folder / "run/model.safetensors", folder / "alone.safetensors");
  fs::remove_all(folder / "run");
  const std::string model = "model=" + folder / "alone.safetensors";
  const Result all = run({"anomalies", "predict", model, "data=" + folder / "data/test/spill",
                          "csv=" + folder / "v.csv", "heat_maps=" + folder / "heat"});
  EXPECT_EQ(all.code, 1) << all.err;
  EXPECT_TRUE(contains(all.out, "ANOMALY  margin +"));
  EXPECT_TRUE(contains(all.out, "8 images scored"));
  EXPECT_TRUE(read_file(folder / "v.csv").starts_with("file,score,threshold,verdict,margin,time\n"));
  EXPECT_TRUE(std::regex_search(read_file(folder / "v.csv"), std::regex(",anomaly,[0-9.]+,20[0-9-]{8}T[0-9:]{8}Z\n")));
  const Arguments once_more{"anomalies", "predict", model, "data=" + folder / "data/test/spill",
                            "csv=" + folder / "v.csv"};
  const auto lines = [&] {
    const std::string table = read_file(folder / "v.csv");
    return std::count(table.begin(), table.end(), '\n');
  };
  EXPECT_EQ(run(once_more).code, 1);
  EXPECT_EQ(lines(), 17) << "goes on below its one header";
  write_file(folder / "other.csv", "well,depth\n");
  expect_refusal({"anomalies", "predict", model, "data=" + folder / "data/test/spill", "csv=" + folder / "other.csv"},
                 {"other.csv", "file,score", "csv="}, 2);
  EXPECT_EQ(files_below(folder / "heat").size(), 8u);
  EXPECT_EQ(data::read_image(fs::path(folder / "heat") / files_below(folder / "heat")[0]).W, 48);

  // 0: all good, 1: anomalies, 2: could not be done.
  const std::string good = "data=" + folder / "data/test/good";
  EXPECT_EQ(run({"anomalies", "predict", model, good, "threshold=1e9"}).code, 0);
  write_file(folder / "data/test/good/cut.jpg", "\xFF\xD8\xFF");
  const Result cut = run({"anomalies", "predict", model, good, "threshold=1e9"});
  EXPECT_EQ(cut.code, 2);
  EXPECT_TRUE(contains(cut.err, "cut.jpg is cut short")) << cut.err;
  EXPECT_TRUE(contains(cut.out, "20 images scored: 20 good, 0 anomalies; 1 could not be read"));
  EXPECT_EQ(run({"anomalies", "predict", model, good, "rule=youden"}).code <= 2, true);
  const fs::path normal = fs::path(folder / "data/test/good");
  fs::copy_file(normal / files_below(normal)[1], normal / "cut.png");
  fs::create_directory(normal / "masks");
  fs::copy_file(normal / "cut.png", normal / "masks/a.png");
  const Result masked = run({"anomalies", "predict", model, good, "threshold=1e9"});
  EXPECT_TRUE(contains(masked.err, "2 of 23 files are not scored, for they are masks")) << masked.err;
  EXPECT_TRUE(contains(masked.out, "20 images scored")) << masked.out;
  EXPECT_EQ(run({"anomalies", "predict", model, "data=" + (normal / "*.png").string(), "threshold=1e9"}).code, 0);
  expect_refusal({"anomalies", "predict", "model=" + folder / "none.safetensors", good}, {"none.safetensors"}, 2);
  expect_refusal({"anomalies", "predict", model}, {"data=", "watch="}, 2);
  expect_refusal({"anomalies", "predict", model, good, "rule=fancy"}, {"'fancy'", "quantile"}, 2);
  expect_refusal({"anomalies", "predict", model, good, "heat_maps=" + folder / "data/test/good/heat"},
                 {"lies in the folder of the images"}, 2);
}

TEST(AnomaliesApp, AStoppedTrainingGoesOnToTheBit) {
  const TemporaryFolder folder;
  make_data(folder / "data");
  const Arguments vae{"model=vae", "channels=16", "validation=0.3"};
  auto with = [&](Arguments a, const std::string& last) {
    a.push_back(last);
    return a;
  };
  run_well(small_training(folder / "data", folder / "whole", with(vae, "epochs=4")));
  run_well(small_training(folder / "data", folder / "parts", with(vae, "epochs=2")));
  run_well({"anomalies", "train", "resume=" + folder / "parts", "epochs=4"});
  for (const char* file : {"metrics.csv", "model.safetensors", "model_last.safetensors", "scores.csv"})
    EXPECT_EQ(read_file(fs::path(folder / "whole") / file), read_file(fs::path(folder / "parts") / file)) << file;
  expect_refusal({"anomalies", "evaluate", "model=" + folder / "parts/model_last.safetensors",
                  "data=" + folder / "data", "run=" + folder / "e"},
                 {"no threshold yet", "threshold="});
}

TEST(AnomaliesApp, RandomScoresOfTheOriginals) {
  const TemporaryFolder folder;
  make_data(folder / "data");
  run_well(
      small_training(folder / "data", folder / "run",
                     {"model=conv_ae_fc", "channels=2,8", "compat=seed", "passes=3", "--json", folder / "f.json"}));
  const nlohmann::json f = json_of(folder / "f.json");
  ASSERT_EQ(f["auroc_over_passes"].size(), 2u);
  EXPECT_GE(f["auroc_over_passes"][1].get<double>(), 0);
  EXPECT_EQ(f["tnr_over_passes"].size(), 2u);
}

TEST(AnomaliesApp, PadimOverASmallEncoder) {
  const TemporaryFolder folder;
  make_data(folder / "data");
  const Result r = run_well({"anomalies", "train", "data=" + folder / "data", "model=padim", "encoder.width=0.1",
                             "size=48,64", "levels=1,2", "padim.channels=12", "smoothing=2", "quiet=true",
                             "resamples=20", "run=" + folder / "run", "--json", folder / "f.json"});
  EXPECT_TRUE(contains(r.err, "random weights")) << r.err;
  EXPECT_GT(json_of(folder / "f.json")["auroc"].get<double>(), 0.7);
  const Result again = run_well({"anomalies", "evaluate", "model=" + folder / "run", "data=" + folder / "data",
                                 "images=test", "run=" + folder / "evaluated", "--json", folder / "e.json"});
  EXPECT_DOUBLE_EQ(json_of(folder / "e.json")["pixel_auroc"].get<double>(),
                   json_of(folder / "f.json")["pixel_auroc"].get<double>());
  EXPECT_EQ(run({"anomalies", "predict", "model=" + folder / "run", "data=" + folder / "data/test",
                 "heat_maps=" + folder / "heat"})
                .code,
            1);
  EXPECT_EQ(files_below(folder / "heat").size(), 28u);
  run_well(small_training(folder / "data", folder / "ae", {"epochs=1"}));
  const Result compared =
      run_well({"anomalies", "compare", folder / "run", folder / "ae", "out=" + folder / "comparison"});
  EXPECT_TRUE(contains(compared.out, "padim: AUROC")) << compared.out;
  EXPECT_TRUE(contains(read_file(folder / "comparison/comparison.csv"), "quantile_tpr"));
  EXPECT_TRUE(contains(read_file(folder / "comparison/report.html"), "every rule found its threshold"));
  run_well(small_training(folder / "data/train", folder / "other", {"epochs=1"}));
  expect_refusal({"anomalies", "compare", folder / "run", folder / "other", "out=" + folder / "c2"},
                 {"tested on other images", "split_seed="});
}

// The score of a model file is that of the training; the second look changes it, not the map.
TEST(AnomaliesApp, PadimLooksAtImagesAsWholes) {
  const TemporaryFolder folder;
  write_images(folder / "data/good", 40, false);
  write_images(folder / "data/spill", 10, true, 100);
  const auto padim = [&](const std::string& run, const Arguments& more) {
    Arguments a{"anomalies",           "train",      "data=" + folder / "data", "model=padim", "encoder.width=0.1",
                "size=64,96",          "levels=2,3", "padim.channels=8",        "quiet=true",  "resamples=20",
                "run=" + folder / run, "--json",     folder / (run + ".json")};
    a.insert(a.end(), more.begin(), more.end());
    return a;
  };
  run_well(padim("both", {"threads=1"}));
  run_well(padim("map", {"padim.whole=false"}));
  run_well(padim("held", {"calibration=held_out"}));
  run_well(padim("threads", {"threads=3"}));
  const auto scores = [&](const std::string& run) { return read_file(folder / (run + "/scores.csv")); };
  EXPECT_NE(scores("both"), scores("map"));
  EXPECT_EQ(scores("both"), scores("threads"));
  const auto figure = [&](const std::string& run, const char* name) {
    return json_of(folder / (run + ".json"))[name].get<double>();
  };
  for (const std::string name : {"both", "map"})
    run({"anomalies", "predict", "model=" + folder / name, "data=" + folder / "data/spill",
         "heat_maps=" + folder / (name + "_heat")});
  const auto heat = files_below(folder / "both_heat");
  ASSERT_EQ(heat.size(), 10u);
  for (const std::string& file : heat)
    EXPECT_EQ(read_file(folder / ("both_heat/" + file)), read_file(folder / ("map_heat/" + file))) << file;
  EXPECT_GT(figure("both", "auroc"), 0.6);
  EXPECT_GT(figure("held", "auroc"), 0.6);
  for (const std::string run : {"both", "held"}) {
    run_well({"anomalies", "evaluate", "model=" + folder / run, "data=" + folder / "data", "images=test",
              "run=" + folder / (run + "_again"), "--json", folder / (run + "_again.json")});
    for (const char* name : {"auroc", "tpr", "tnr"}) EXPECT_EQ(figure(run, name), figure(run + "_again", name)) << name;
    const std::string again = scores(run + "_again");
    std::istringstream lines(scores(run));
    for (std::string line; std::getline(lines, line);) {
      const size_t at = line.find(",test,");
      if (at == std::string::npos) continue;
      EXPECT_TRUE(contains(again, line.substr(0, at) + ",evaluated," + line.substr(at + 6))) << line;
    }
  }
  EXPECT_TRUE(contains(read_file(folder / "both/report.html"), "how unusual the image is as a whole"));
  run_well({"export", "model=" + folder / "map", "out=" + folder / "map.onnx"});
  expect_refusal({"export", "model=" + folder / "both", "out=" + folder / "both.onnx"}, {"padim.whole=false"});
  write_images(folder / "few/good", 3, false);
  expect_refusal(padim("two", {"data=" + folder / "few", "validation=0", "test=0.34", "calibration=held_out"}),
                 {"takes 3 good images", "padim.whole=false"});
}

TEST(AnomaliesApp, PadimFindsItsThresholdByAllGoodImages) {
  const TemporaryFolder folder;
  write_images(folder / "data/good", 60, false);
  write_images(folder / "data/spill", 10, true, 100);
  const auto padim = [&](const std::string& run, const Arguments& more) {
    Arguments a{"anomalies",           "train",    "data=" + folder / "data", "model=padim", "encoder.width=0.1",
                "size=32,48",          "levels=2", "padim.channels=8",        "quiet=true",  "resamples=20",
                "run=" + folder / run, "--json",   folder / (run + ".json")};
    a.insert(a.end(), more.begin(), more.end());
    return a;
  };
  const Result left = run_well(padim("left", {}));
  EXPECT_TRUE(contains(left.out, "51 images train, 5 validate")) << left.out;
  EXPECT_TRUE(contains(left.out, "each scored by the model without it and its group")) << left.out;
  EXPECT_TRUE(contains(left.out, "expected false alarms 3.8 % of good images, 90 % range 0.7 to ")) << left.out;
  EXPECT_TRUE(contains(left.out, "(by 51 good images)")) << left.out;
  EXPECT_TRUE(contains(left.out, "of 9 good images")) << left.out;  // what the test showed
  const nlohmann::json f = json_of(folder / "left.json");
  EXPECT_EQ(f["calibration"], "left_out");
  EXPECT_EQ(f["validation_normal"], 51);
  EXPECT_NEAR(f["false_alarms_expected"].get<double>(), 2.0 / 52, 1e-12);
  // Left out, an image scores as high as one that the model never saw: about one of 25 lies above the line.
  EXPECT_NEAR(f["validation_tnr"].get<double>(), 50.0 / 51, 1e-9);
  const Result evaluated = run_well({"anomalies", "evaluate", "model=" + folder / "left", "data=" + folder / "data",
                                     "images=test", "run=" + folder / "evaluated"});
  EXPECT_TRUE(contains(evaluated.out, "expected false alarms 3.8 %")) << evaluated.out;  // from the model file
  const Result held = run_well(padim("held", {"calibration=held_out"}));
  EXPECT_TRUE(contains(held.out, "42 images train, 14 validate")) << held.out;
  EXPECT_TRUE(contains(held.out, "9 normal items are too few to promise 5 % false alarms")) << held.out;
  const Result grouped = run_well(padim("grouped", {"group=number", "group.gap=0", "calibration=left_out"}));
  EXPECT_TRUE(contains(grouped.out, "(by 51 good images)")) << grouped.out;
  expect_refusal(padim("one", {"group=number", "group.gap=1000"}), {"are of one thing", "calibration=held_out"});
  expect_refusal(small_training(folder / "data", folder / "ae", {"calibration=left_out"}),
                 {"needs model=padim", "calibration=held_out"});
}

TEST(AnomaliesApp, GoodImagesAloneGiveAThresholdAndAWarning) {
  const TemporaryFolder folder;
  write_images(folder / "data/good", 60, false);
  const Result r = run_well(small_training(folder / "data", folder / "run"));
  EXPECT_TRUE(contains(r.out, "there are no anomalies to validate on")) << r.out;
  expect_refusal(small_training(folder / "data", folder / "r2", {"rule=youden"}),
                 {"rule=youden needs anomalies", "rule=quantile"});
  expect_refusal(small_training(folder / "data", folder / "r3", {"monitor=auroc"}), {"monitor=loss"});
  const Result none = run_well(small_training(folder / "data", folder / "r4", {"validation=0", "test=0"}));
  EXPECT_TRUE(contains(none.out, "found on the training images")) << none.out;
}

TEST(AnomaliesApp, BadImagesAreSaidInPlainWords) {
  const TemporaryFolder folder;
  // One image only.
  write_images(folder / "one/good", 1, false);
  expect_refusal(small_training(folder / "one", folder / "run"), {"a single image trains", "50 or more"});
  const Result one = run({"anomalies", "inspect", "data=" + folder / "one"});
  EXPECT_EQ(one.code, 1);
  EXPECT_TRUE(contains(one.out, "there is only one image of good things")) << one.out;
  // All identical.
  make_folder(folder / "same/good");
  for (int i = 0; i < 12; ++i)
    write_file(folder / ("same/good/" + std::to_string(i) + ".png"),
               data::encode_png(data::make_raster(27, 48, 3, uint8_t(90))));
  expect_refusal(small_training(folder / "same", folder / "run"), {"identical, pixel for pixel"});
  EXPECT_TRUE(contains(run({"anomalies", "inspect", "data=" + folder / "same"}).out, "identical, pixel for pixel"));
  // Anomalies among the good ones are named.
  write_images(folder / "mixed/good", 80, false);
  for (const int i : {500, 501, 502})
    write_file(folder / ("mixed/good/bad" + std::to_string(i) + ".png"),
               data::encode_png(data::spill_image(i, true, {.strength = 1.5}).image));
  const Result mixed =
      run_well(small_training(folder / "mixed", folder / "mixed_run", {"epochs=20", "lr=0.01", "batch=8"}));
  for (const char* name : {"good/bad500.png", "good/bad501.png", "good/bad502.png", "move what is defective"})
    EXPECT_TRUE(contains(mixed.err, name)) << name << "\n" << mixed.err;
  // Mixed sizes and grey among colours: said, and used.
  write_images(folder / "sizes/good", 20, false);
  write_file(folder / "sizes/good/large.png", data::encode_png(data::make_raster(90, 77, 3, uint8_t(90))));
  write_file(folder / "sizes/good/grey.png", data::encode_png(data::make_raster(27, 48, 1, uint8_t(80))));
  write_file(folder / "sizes/good/cut.png", "\x89PNG\r\n\x1a\n");
  const Result sizes = run_well({"anomalies", "inspect", "data=" + folder / "sizes", "sheet=" + folder / "s.png"});
  EXPECT_TRUE(contains(sizes.out, "the images have 2 sizes")) << sizes.out;
  EXPECT_TRUE(contains(sizes.out, "1 of 22 images are grey among colours")) << sizes.out;
  EXPECT_TRUE(contains(sizes.out, "cut.png")) << sizes.out;
  EXPECT_GT(data::read_image(folder / "s.png").W, 100);
  const Result used = run_well(small_training(folder / "sizes", folder / "sizes_run", {"epochs=1"}));
  EXPECT_TRUE(contains(used.err, "skipped: ")) << used.err;
  // A list that names what is not there.
  std::string list = "missing.png good\n";
  for (int i = 0; i < 20; ++i) list += "sizes/good/p" + std::to_string(i) + ".png " + (i % 10 ? "good" : "bad") + "\n";
  write_file(folder / "list.txt", list);
  const Arguments listed{"anomalies", "inspect", "data=" + folder.path().string(), "list=" + folder / "list.txt"};
  const Result absent = run_well(listed);
  EXPECT_TRUE(contains(absent.out, "names missing.png")) << absent.out;
  EXPECT_TRUE(contains(absent.out, "20 images: 18 good, 2 anomalies")) << absent.out;
  Arguments strict = listed;
  strict.push_back("strict=true");
  expect_refusal(strict, {"names missing.png", "correct the list"});
  expect_refusal(small_training(folder / "nowhere", folder / "run"), {"does not exist"});
  expect_refusal(
      small_training(folder / "sizes", folder / "run", {"model=conv_ae", "size=30,30", "channels=", "code=0"}),
      {"multiples of 4"});
  expect_refusal(small_training(folder / "sizes", folder / "run", {"crop=64,64"}), {"cannot be cut out"});
  expect_refusal(small_training(folder / "sizes", folder / "run", {"model=padim", "grey=true"}), {"grey=false"});
}

TEST(AnomaliesApp, AnEqualImageThatCountsAsBothIsFound) {
  const TemporaryFolder folder;
  write_images(folder / "data/good", 20, false);
  make_folder(folder / "data/spill");
  fs::copy_file(folder / "data/good/p3.png", folder / "data/spill/x.png");
  const Result r = run_well({"anomalies", "inspect", "data=" + folder / "data"});
  EXPECT_TRUE(contains(r.out, "spill/x.png is the same image as good/p3.png, but one counts as")) << r.out;
}

TEST(AnomaliesApp, WatchesAFolderUntilItIsStopped) {
  const TemporaryFolder folder;
  write_images(folder / "data/good", 40, false);
  run_well(small_training(folder / "data", folder / "run"));
  make_folder(folder / "in");
  Process watching({"anomalies", "predict", "model=" + folder / "run", "watch=" + folder / "in", "every=0.05s",
                    "threshold=1e9", "csv=" + folder / "v.csv"});
  write_images(folder / "in", 2, false, 100);
  write_file(folder / "in/half.png", "\x89PNG");
  for (int i = 0; i < 400 && (!fs::exists(folder / "v.csv") || !contains(read_file(folder / "v.csv"), "unreadable"));
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  write_file(folder / "in/stop", "");
  const Result r = watching.wait();
  EXPECT_EQ(r.code, 2) << r.err;
  EXPECT_TRUE(contains(r.out, "2 images scored: 2 good, 0 anomalies; 1 could not be read")) << r.out << r.err;
  const std::string table = read_file(folder / "v.csv");
  for (const char* name : {"p100.png", "p101.png", "half.png,,"}) EXPECT_TRUE(contains(table, name)) << name;
}

}  // namespace
}  // namespace kern::testing
