// kern faults with networks that look along three directions, and at neighbouring lines.
#include <cmath>
#include <thread>

#include "data/npy.h"
#include "data/segy_write.h"
#include "kernels/common/sanitizer.h"
#include "tests/apps/faults_run.h"
#include "tests/apps/json_of.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

Arguments train_on_cubes(const std::string& out, const Arguments& more = {}) {
  Arguments a = {"faults",
                 "train",
                 "run=" + out,
                 "model=unet3d",
                 "channels=[2,3,4]",
                 "synthetic.inlines=24",
                 "synthetic.crosslines=24",
                 "synthetic.samples=28",
                 "crop=16",
                 "uses=2",
                 "sections=8",
                 "validation_sections=4",
                 "batch=2",
                 "epochs=2",
                 "threads=1",
                 "report_sections=2",
                 "quiet=true"};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

// A made cube and its faults: amplitude_00000.sgy and faults_00000.sgy.
std::string cube_in(const std::string& folder, int inlines, int crosslines, int samples) {
  run_well({"faults", "synthesize", "out=" + folder, "volumes=1", "sheet=0", "inlines=" + std::to_string(inlines),
            "crosslines=" + std::to_string(crosslines), "samples=" + std::to_string(samples), "faults=3", "seed=5"});
  return folder + "/amplitude_00000.sgy";
}

std::vector<float> samples_of(const std::string& path) {
  const data::SegyFile file(path);
  std::vector<float> v(size_t(file.traces() * file.samples()));
  for (int64_t t = 0; t < file.traces(); ++t)
    file.read_trace(t, std::span(v).subspan(size_t(t * file.samples()), size_t(file.samples())));
  return v;
}

class FaultsCube : public ::testing::Test {
 protected:
  void SetUp() override { run_well(train_on_cubes(model, {"epochs=1"})); }
  TemporaryFolder folder;
  const std::string model = folder / "model";
};

TEST(FaultsCubeTraining, KilledAndResumedIsTheSame) {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", broken = folder / "broken";
  const Result trained = run_well(train_on_cubes(whole));
  EXPECT_TRUE(contains(trained.out, "cubes of 16 x 16 x 16")) << trained.out;
  {
    Process p(train_on_cubes(broken, {"checkpoint_every=0s"}));
    for (int i = 0; i < 20000 && p.running() && !fs::exists(broken + "/checkpoint.safetensors"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    p.send(SIGKILL);
    p.wait();
  }
  run_well({"faults", "train", "resume=" + broken});
  for (const char* name : {"model.safetensors", "metrics.csv"})
    EXPECT_TRUE(read_file(whole + "/" + name) == read_file(broken + "/" + name)) << name;
}

// Tiles far smaller than the cube: killed in the middle, the same command gives the same files; and what tiles say is
// what the network says of the whole where they see as far as it looks.
TEST_F(FaultsCube, TilesAreTheWholeAndAKillChangesNothing) {
  const std::string cube = cube_in(folder / "cube", 40, 48, 100);
  const auto arguments = [&](const std::string& out, const Arguments& more) {
    Arguments a{"faults", "predict", cube, "model=" + model, "out=" + (folder / out), "quiet=true", "sticks=0"};
    a.insert(a.end(), more.begin(), more.end());
    return a;
  };
  run_well(arguments("whole", {}));
  // The network looks fewer than 32 samples to either side.
  run_well(arguments("tiles", {"tile=16", "margin=32"}));
  const std::vector<float> whole = samples_of(folder / "whole/amplitude_00000/faults.sgy"),
                           tiles = samples_of(folder / "tiles/amplitude_00000/faults.sgy");
  ASSERT_EQ(whole.size(), tiles.size());
  double farthest = 0;
  for (size_t i = 0; i < whole.size(); ++i)
    farthest = std::max(farthest, std::abs(double(whole[i]) - double(tiles[i])));
  EXPECT_LT(farthest, 1e-4);

  const std::string broken = "broken", parts = folder / "broken/amplitude_00000/parts/progress.json";
  {
    Process p(arguments(broken, {"tile=16", "margin=32"}));
    for (int i = 0; i < 20000 && p.running() && !fs::exists(parts); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    p.send(SIGKILL);
    p.wait();
  }
  ASSERT_TRUE(fs::exists(parts)) << "the kill came too late";
  run_well(arguments(broken, {"tile=16", "margin=32"}));
  for (const char* name : {"faults.sgy", "thin.sgy"})
    EXPECT_TRUE(read_file(folder / ("tiles/amplitude_00000/" + std::string(name))) ==
                read_file(folder / ("broken/amplitude_00000/" + std::string(name))))
        << name;
}

TEST_F(FaultsCube, ANumpyArrayIsWhatTheSameNumbersInSegyAre) {
  const std::string cube = cube_in(folder / "cube", 12, 20, 40);
  const std::vector<float> amplitudes = samples_of(cube);
  data::NpyWriter writer(folder / "cube.npy", std::vector<int64_t>{12, 20, 40});
  writer.write(amplitudes);
  writer.commit();
  run_well({"faults", "predict", cube, "model=" + model, "out=" + (folder / "a"), "quiet=true"});
  run_well({"faults", "predict", folder / "cube.npy", "model=" + model, "out=" + (folder / "b"), "quiet=true"});
  const data::NpyFile found(folder / "b/cube/faults.npy");
  EXPECT_EQ(found.shape(), (std::vector<int64_t>{12, 20, 40}));
  std::vector<float> values(size_t(found.size()));
  found.read(0, values);
  EXPECT_EQ(values, samples_of(folder / "a/amplitude_00000/faults.sgy"));
  EXPECT_TRUE(fs::exists(folder / "b/cube/thin.npy"));
  EXPECT_FALSE(fs::exists(folder / "b/cube/cube.sgy"));

  data::NpyWriter line(folder / "four.npy", std::vector<int64_t>{1, 1, 2, 3});
  line.write(std::vector<float>(6, 1.0f));
  line.commit();
  expect_refusal({"faults", "predict", folder / "four.npy", "model=" + model, "out=" + (folder / "c")},
                 {"4 dimensions", "[inlines, crosslines, samples]"});
}

// Against what plain loops say of the same files.
TEST_F(FaultsCube, EvaluationWithinATolerance) {
  const std::string cube = cube_in(folder / "cube", 14, 16, 30), labels = folder / "cube/faults_00000.sgy";
  run_well({"faults", "predict", cube, "model=" + model, "out=" + (folder / "out"), "quiet=true"});
  const std::string found = folder / "out/amplitude_00000/faults.sgy";
  const std::vector<float> p = samples_of(found);
  std::vector<float> y = samples_of(labels);
  // A corner where nobody looked.
  {
    const data::SegyFile from(labels);
    data::SegyWriter writer(folder / "labels.sgy", from);
    for (int64_t t = 0; t < from.traces(); ++t) {
      const auto trace = std::span(y).subspan(size_t(t * 30), 30);
      if (t < 5 * 16) std::fill(trace.begin(), trace.begin() + 10, -1.0f);
      writer.write_trace(t, trace);
    }
    writer.commit();
  }
  const float threshold = *std::max_element(p.begin(), p.end()) * 0.8f;
  const auto near = [&](int64_t at, double tolerance, const auto& is_set) {
    const int64_t i = at / (16 * 30), x = at / 30 % 16, z = at % 30;
    for (int64_t a = 0; a < 14; ++a)
      for (int64_t b = 0; b < 16; ++b)
        for (int64_t c = 0; c < 30; ++c) {
          const auto d = double((a - i) * (a - i) + (b - x) * (b - x) + (c - z) * (c - z));
          if (d <= tolerance * tolerance && is_set(size_t((a * 16 + b) * 30 + c))) return true;
        }
    return false;
  };
  for (const double tolerance : {0.0, 2.0}) {
    int64_t found_count = 0, right = 0, labelled = 0, met = 0;
    for (size_t k = 0; k < p.size(); ++k) {
      if (p[k] >= threshold && y[k] >= 0) {
        ++found_count;
        right += near(int64_t(k), tolerance, [&](size_t l) { return y[l] > 0; });
      }
      if (y[k] > 0) {
        ++labelled;
        met += near(int64_t(k), tolerance, [&](size_t l) { return p[l] >= threshold; });
      }
    }
    ASSERT_GT(found_count, 0);
    ASSERT_GT(labelled, 0);
    run_well({"faults", "evaluate", "found=" + found, "labels=" + (folder / "labels.sgy"), "run=" + (folder / "e"),
              "overwrite=true", "thin=false", "thin_labels=false", "tolerance=" + std::to_string(tolerance),
              "threshold=" + std::to_string(threshold)});
    const auto result = json_of(folder / "e/result.json");
    EXPECT_NEAR(result.at("tol_recall").get<double>(), double(met) / double(labelled), 1e-6);
    EXPECT_NEAR(result.at("tol_precision").get<double>(), double(right) / double(found_count), 1e-6);
  }
  // The model on the same cube: predicts first.
  run_well({"faults", "evaluate", "model=" + model, "data=" + cube, "labels=" + (folder / "labels.sgy"),
            "run=" + (folder / "m")});
  EXPECT_TRUE(fs::exists(folder / "m/report.html"));
  EXPECT_FALSE(fs::exists(folder / "m/parts"));
  expect_refusal({"faults", "evaluate", "found=" + found, "run=" + (folder / "n")}, {"labels="});
  expect_refusal(
      {"faults", "evaluate", "found=" + found, "model=" + model, "labels=" + labels, "run=" + (folder / "n")},
      {"found=", "without model="});
}

// On what is made by another seed, as the model's own training was made.
TEST_F(FaultsCube, EvaluationOnMadeCubes) {
  const auto evaluated = [&](const std::string& name, const std::string& run_folder, const Arguments& more) {
    Arguments a{"faults", "evaluate", "model=" + name, "run=" + run_folder, "sections=8", "report_sections=1"};
    a.insert(a.end(), more.begin(), more.end());
    run_well(a);
    return json_of(run_folder + "/result.json").at("average_precision").get<double>();
  };
  EXPECT_GT(evaluated(model, folder / "cubes", {"crop=16"}), 0);
  EXPECT_GT(evaluated("faults_sections", folder / "shipped", {"sections=64"}), 0.2);
  expect_refusal({"faults", "evaluate", "model=" + model, "run=" + (folder / "n"), "synthetic.inlines=1"},
                 {"looks across lines", "synthetic.inlines=128"});
}

TEST_F(FaultsCube, WhatIsNoCubeIsSaid) {
  const std::string line = cube_in(folder / "line", 1, 40, 40);
  expect_refusal({"faults", "predict", line, "model=" + model, "out=" + (folder / "o")},
                 {"1 inlines", "needs at least 8", "model for sections"});
  expect_refusal({"faults", "train", "run=" + (folder / "t"), "model=unet3d"},
                 {"takes cubes", "synthetic.inlines=128"});
  expect_refusal({"faults", "train", "run=" + (folder / "t"), "model=unet_2_5d"}, {"neighbouring lines"});
  expect_refusal(train_on_cubes(folder / "t", {"crop=64"}), {"crops of 64 x 64 x 64", "24 x 24 x 28"});
}

TEST(FaultsLines, ANetworkOfNeighbouringLines) {
  const TemporaryFolder folder;
  run_well(train_on_cubes(folder / "model", {"model=unet_2_5d", "channels=[3,4]"}));
  const std::string cube = cube_in(folder / "cube", 9, 20, 40);
  run_well({"faults", "predict", cube, "model=" + (folder / "model"), "out=" + (folder / "out"), "quiet=true"});
  const std::vector<float> p = samples_of(folder / "out/amplitude_00000/faults.sgy");
  EXPECT_GT(*std::max_element(p.begin(), p.end()), 0);
  expect_refusal({"faults", "predict", cube_in(folder / "line", 1, 40, 40), "model=" + (folder / "model"),
                  "out=" + (folder / "o")},
                 {"looks at 5 neighbouring lines"});
}

// Without model= the one that comes with Kern is used, for cubes, lines and images; it is found beside the program.
TEST(FaultsShipped, PredictsWithoutAModel) {
  const TemporaryFolder folder;
  const Result listed = run_well({"models"});
  EXPECT_TRUE(contains(listed.out, "faults_sections: faults, unet")) << listed.out;
  EXPECT_TRUE(contains(run_well({"info", "model=faults_sections"}).out, "figures.average_precision"));
  // Faults that anybody sees, in layers without noise.
  run_well({"faults", "synthesize", "out=" + (folder / "plain"), "volumes=1", "sheet=0", "inlines=40", "crosslines=96",
            "samples=96", "faults=1", "throw=14", "dip=70", "strike=0", "noise=0.05", "seed=3", "reverse=0", "bin=1"});
  const std::string cube = folder / "plain/amplitude_00000.sgy", labels = folder / "plain/faults_00000.sgy";
  run_well({"faults", "predict", cube, "out=" + (folder / "out"), "quiet=true"});
  run_well({"faults", "evaluate", "found=" + (folder / "out/amplitude_00000/faults.sgy"), "labels=" + labels,
            "run=" + (folder / "e"), "tolerance=2"});
  const auto result = json_of(folder / "e/result.json");
  EXPECT_GT(result.at("tol_recall").get<double>(), 0.5);
  EXPECT_GT(result.at("tol_precision").get<double>(), 0.2);  // of what lies anywhere, a twentieth would be
  const Result without = run({"faults", "predict", cube, "out=" + (folder / "o")}, {{"KERN_MODELS", folder / "none"}});
  EXPECT_EQ(without.code, 1);
  EXPECT_TRUE(contains(without.err, "faults_sections") && contains(without.err, "give model=")) << without.err;
}

}  // namespace
}  // namespace kern::testing
