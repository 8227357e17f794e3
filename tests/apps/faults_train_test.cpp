// kern faults train, evaluate and predict, run as a person runs them.
#include <signal.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "data/image.h"
#include "data/segy_write.h"
#include "engine/atomic_file.h"
#include "kernels/common/sanitizer.h"
#include "tests/apps/faults_run.h"
#include "tests/apps/json_of.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

std::string cube_of(const TemporaryFolder& folder, const std::string& name, int inlines, int crosslines, int samples,
                    const std::string& format = "ieee") {
  run_well({"faults", "synthesize", "out=" + (folder / name), "volumes=1", "sheet=0",
            "inlines=" + std::to_string(inlines), "crosslines=" + std::to_string(crosslines),
            "samples=" + std::to_string(samples), "format=" + format});
  return folder / (name + "/amplitude_00000.sgy");
}

TEST(FaultsTrain, TrainPredictEvaluate) {
  const TemporaryFolder folder;
  const std::string model = folder / "run";
  const Result trained = run_well(train_faults(model, {"--json", folder / "trained.json"}));
  EXPECT_TRUE(contains(trained.out, "best epoch")) << trained.out;
  const auto figures = json_of(folder / "trained.json");
  EXPECT_GT(figures["average_precision"], 0);
  EXPECT_EQ(figures["epochs"], 2);
  const std::string report = read_file(model + "/report.html");
  for (const char* words : {"Tol-IoU@2", "Precision and recall", "Sections"}) EXPECT_TRUE(contains(report, words));

  const std::string cube = cube_of(folder, "cube", 18, 20, 24, "ibm");
  const Result predicted =
      run_well({"faults", "predict", cube, "model=" + model, "out=" + (folder / "out"), "dip=true", "azimuth=true",
                "sticks=4", "least_piece=1", "threshold=0.05", "flips=true", "agc=40", "quiet=true"});
  const std::string out = folder / "out/amplitude_00000";
  EXPECT_EQ(files_below(out),
            (std::vector<std::string>{"azimuth.sgy", "crossline_11.png", "cube.html", "dip.sgy", "faults.sgy",
                                      "figures/crossline_11.svg", "figures/inline_10.svg", "figures/slice_48.svg",
                                      "inline_10.png", "report.html", "slice_48.png", "sticks.txt", "thin.sgy"}))
      << predicted.out;
  expect_equal_headers(cube, out + "/faults.sgy");
  const data::SegyFile faults(out + "/faults.sgy"), thin(out + "/thin.sgy"), dip(out + "/dip.sgy");
  EXPECT_EQ(faults.layout().format, data::SegyFormat::ibm_float32);
  std::vector<float> p(24), t(24), d(24);
  int found = 0;
  for (int64_t i = 0; i < faults.traces(); ++i) {
    faults.read_trace(i, p), thin.read_trace(i, t), dip.read_trace(i, d);
    for (size_t k = 0; k < p.size(); ++k) {
      ASSERT_TRUE(p[k] >= 0 && p[k] <= 1);
      if (t[k] != 0) {
        ASSERT_NEAR(t[k], p[k], 1e-5);
        ++found;
      }
      ASSERT_TRUE(d[k] >= 0 && d[k] <= 90);
    }
  }
  EXPECT_GT(found, 0);
  EXPECT_FALSE(read_file(out + "/sticks.txt").empty());
  expect_refusal({"faults", "predict", cube, "model=" + model, "out=" + (folder / "out")}, {"faults.sgy", "overwrite"});

  // The labels of the same cube, synthetic sections of other ranges.
  run_well({"faults", "evaluate", "model=" + model, "data=" + cube, "labels=" + (folder / "cube/faults_00000.sgy"),
            "run=" + (folder / "e1"), "--json", folder / "e1.json"});
  EXPECT_EQ(json_of(folder / "e1.json")["sections"], 18);
  run_well({"faults", "evaluate", "model=" + model, "sections=3", "synthetic.noise=1", "synthetic.crosslines=24",
            "synthetic.samples=24", "run=" + (folder / "e2"), "--json", folder / "e2.json"});
  EXPECT_EQ(json_of(folder / "e2.json")["sections"], 3);
  EXPECT_TRUE(json_of(folder / "e2.json")["tol_iou"].is_number());

  // Nothing given: sections as the model's own, here those that validated it. They were of Kern's default ranges once.
  run_well({"faults", "evaluate", "model=" + model, "sections=4", "seed=1000003", "threads=1",
            "run=" + (folder / "own"), "--json", folder / "own.json"});
  for (const char* key : {"average_precision", "tol_iou", "f1"})
    EXPECT_EQ(json_of(folder / "own.json")[key], figures[key]) << key;

  // Images with masks.
  fs::create_directories(folder / "images/images");
  fs::create_directories(folder / "images/masks");
  data::Image grey = data::make_raster(30, 40, 1), mask = grey;
  for (int64_t y = 0; y < 30; ++y)
    for (int64_t x = 0; x < 40; ++x) {
      *grey.at(y, x) = uint8_t(128 + 100 * std::sin(double(y + (x > 20 ? 5 : 0))));
      *mask.at(y, x) = x == 20 || x == 21 ? 255 : 0;
    }
  write_file(folder / "images/images/a.png", data::encode_png(grey));
  write_file(folder / "images/masks/a.png", data::encode_png(mask));
  run_well({"faults", "evaluate", "model=" + model, "data=" + (folder / "images"), "run=" + (folder / "e3"), "--json",
            folder / "e3.json"});
  EXPECT_NEAR(json_of(folder / "e3.json")["fault_share"].get<double>(), 2.0 / 40, 1e-9);
  run_well({"faults", "predict", folder / "images/images/a.png", "model=" + model, "out=" + (folder / "overlay")});
  EXPECT_EQ(files_below(folder / "overlay"), (std::vector<std::string>{"a/faults.png", "a/probability.png"}));
  EXPECT_EQ(data::image_info(fs::path(folder / "overlay/a/faults.png")).W, 40);

  // At several sizes.
  run_well({"faults", "predict", folder / "images/images/a.png", "model=" + model, "out=" + (folder / "scaled"),
            "scales=1,0.5"});
  EXPECT_EQ(files_below(folder / "scaled"), files_below(folder / "overlay"));
  for (const char* scales : {"scales=1", "scales=1,0.5"})
    run_well({"faults", "predict", cube, "model=" + model, "out=" + (folder / scales), scales, "images=false",
              "page=false", "quiet=true"});
  EXPECT_NE(read_file(folder / "scales=1/amplitude_00000/faults.sgy"),
            read_file(folder / "scales=1,0.5/amplitude_00000/faults.sgy"));
  expect_refusal({"faults", "predict", cube, "model=" + model, "out=" + (folder / "none"), "scales=[]"}, {"scales="});
}

TEST(FaultsTrain, OnFaultsCutIntoOnesOwnSections) {
  const TemporaryFolder folder;
  const std::string cube = cube_of(folder, "cube", 12, 30, 40);
  const Result trained = run_well(train_faults(folder / "own", {"from=" + cube}));
  EXPECT_TRUE(contains(trained.out, "best epoch")) << trained.out;
  run_well(train_faults(folder / "made"));
  EXPECT_NE(read_file(folder / "own/metrics.csv"), read_file(folder / "made/metrics.csv"));
  // Resumed without the file it was begun with: said, not trained on something else.
  fs::remove(cube);
  expect_refusal({"faults", "train", "resume=" + (folder / "own"), "epochs=3"}, {"amplitude_00000.sgy"});
  expect_refusal(train_faults(folder / "tiny", {"from=" + cube_of(folder, "small", 1, 40, 40)}),
                 {"the fifth that validates", "1 inlines x 8 crosslines"});
}

TEST(FaultsTrain, KilledAndResumedIsTheSame) {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", broken = folder / "broken";
  run_well(train_faults(whole, {"model=vae", "epochs=3"}));
  {
    Process p(train_faults(broken, {"model=vae", "epochs=3", "checkpoint_every=0s"}));
    for (int i = 0; i < 20000 && p.running() && !fs::exists(broken + "/checkpoint.safetensors"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    p.send(SIGKILL);
    p.wait();
  }
  run_well({"faults", "train", "resume=" + broken});
  for (const char* name : {"model.safetensors", "model_last.safetensors", "metrics.csv"})
    EXPECT_TRUE(read_file(whole + "/" + name) == read_file(broken + "/" + name)) << name;
}

class FaultsPredict : public ::testing::Test {
 protected:
  void SetUp() override { run_well(train_faults(model, {"epochs=1", "sections=4"})); }
  TemporaryFolder folder;
  const std::string model = folder / "model";
};

TEST_F(FaultsPredict, KilledAndRunAgainIsTheSame) {
  const std::string cube = cube_of(folder, "cube", 30, 32, 40);
  const auto arguments = [&](const std::string& out) {
    return Arguments{"faults", "predict", cube, "model=" + model, "out=" + out, "quiet=true", "dip=true"};
  };
  run_well(arguments(folder / "whole"));
  const std::string broken = folder / "broken", parts = broken + "/amplitude_00000/parts/progress.json";
  {
    Process p(arguments(broken));
    for (int i = 0; i < 20000 && p.running() && !fs::exists(parts); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    p.send(SIGKILL);
    p.wait();
  }
  ASSERT_TRUE(fs::exists(parts)) << "the kill came too late";
  const Result again = run_well(arguments(broken));
  EXPECT_TRUE(contains(again.err, "goes on where an earlier prediction ended")) << again.err;
  for (const char* name : {"faults.sgy", "thin.sgy", "dip.sgy", "sticks.txt"})
    EXPECT_TRUE(read_file(folder / ("whole/amplitude_00000/" + std::string(name))) ==
                read_file(broken + "/amplitude_00000/" + name))
        << name;
  EXPECT_FALSE(fs::exists(broken + "/amplitude_00000/parts"));
}

TEST_F(FaultsPredict, MutesAndDeadTracesHaveNoFaults) {
  const std::string cube = cube_of(folder, "cube", 1, 40, 64), muted = folder / "muted.sgy";
  {
    const data::SegyFile from(cube);
    data::SegyWriter writer(muted, from);
    std::vector<float> trace(64);
    for (int64_t t = 0; t < from.traces(); ++t) {
      from.read_trace(t, trace);
      std::fill(trace.begin(), trace.begin() + (t >= 30 ? 64 : 20), 0.0f);
      writer.write_trace(t, trace);
    }
    writer.commit();
  }
  run_well({"faults", "predict", muted, "model=" + model, "out=" + (folder / "out"), "quiet=true"});
  const data::SegyFile faults(folder / "out/muted/faults.sgy");
  std::vector<float> p(64);
  for (int64_t t = 0; t < 40; ++t) {
    faults.read_trace(t, p);
    for (size_t k = 0; k < (t >= 30 ? p.size() : 24); ++k) ASSERT_EQ(p[k], 0) << t << " " << k;
    ASSERT_EQ(p[40] > 0, 2 <= t && t < 30) << t;  // nor are the survey's edges
  }
}

// 200 MB of traces, nearly all of them zeros, and less address space than that.
TEST_F(FaultsPredict, AFileLargerThanTheMemoryItMayUse) {
  if (kAddressSanitizer) GTEST_SKIP() << "AddressSanitizer needs its own address space";
  const std::string path = folder / "large.sgy", small = cube_of(folder, "small", 1, 20, 1000);
  constexpr int64_t kInlines = 50, kCrosslines = 1000;
  {
    // Headers alone: the samples are holes.
    const data::SegyFile from(small);
    AtomicFile file(path);
    std::vector<std::byte> head(size_t(from.layout().data_start));
    from.read_bytes(0, head);
    file.write_at(0, head.data(), head.size());
    for (int64_t t = 0; t < kInlines * kCrosslines; ++t) {
      data::SegyTraceHeader h = from.trace_header(0);
      const auto order = from.layout().order;
      data::put_field(h, data::trace_field::inline_number, order, 1 + t / kCrosslines);
      data::put_field(h, data::trace_field::crossline_number, order, 1 + t % kCrosslines);
      file.write_at(from.layout().trace_start(t), h.data(), h.size());
    }
    // A few traces that hold something, and the last sample, so that the file is whole.
    std::vector<std::byte> trace(4000);
    for (int64_t t = 0; t < 20; ++t) {
      from.read_bytes(from.layout().trace_start(t) + 240, trace);
      file.write_at(from.layout().trace_start(40 * kCrosslines + t) + 240, trace.data(), trace.size());
    }
    const std::byte zero{};
    file.write_at(from.layout().trace_start(kInlines * kCrosslines) - 1, &zero, 1);
    file.commit();
  }
  ASSERT_GT(fs::file_size(path), 200u << 20);
  const std::string command =
      std::string("ulimit -v 196608; exec ") + testing::kern_program() + " faults predict " + path + " model=" + model +
      " out=" + (folder / "out") +
      " memory=64 threads=1 passes=inlines thin=false sticks=0 images=false quiet=true > /dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const data::SegyFile faults(folder / "out/large/faults.sgy");
  std::vector<float> p(1000);
  faults.read_trace(40 * kCrosslines + 3, p);
  EXPECT_GT(p[500], 0);
  faults.read_trace(7, p);
  EXPECT_EQ(p, std::vector<float>(1000, 0.0f));
}

TEST_F(FaultsPredict, WhatIsWrongIsSaid) {
  const std::string cube = cube_of(folder, "mixed", 1, 20, 30);
  write_file(folder / "mixed/bad.sgy", "no traces");
  const Result r =
      run({"faults", "predict", folder / "mixed", "model=" + model, "out=" + (folder / "out"), "quiet=true"});
  EXPECT_EQ(r.code, 1);
  EXPECT_TRUE(contains(r.err, "bad.sgy is no SEG-Y file")) << r.err;
  EXPECT_TRUE(contains(r.out, "2 files predicted, 1 skipped")) << r.out;
  EXPECT_TRUE(fs::exists(folder / "out/faults_00000/faults.sgy"));  // all zeros but for a few
  expect_refusal({"faults", "predict", folder / "none.sgy", "model=" + model}, {"there is no file"});
  expect_refusal({"faults", "predict", cube, "model=" + (folder / "mixed")}, {"holds no model.safetensors"});
  expect_refusal({"faults", "predict", cube, "model=" + model, "out=" + (folder / "o2"), "inline=7"}, {"inline"});
  expect_refusal({"faults", "evaluate", "data=" + cube, "model=" + model, "run=" + (folder / "e")}, {"labels="});
  expect_refusal({"faults", "train", "run=" + (folder / "t"), "loss={ce: 1}"}, {"loss= must have bce"});
  expect_refusal({"faults", "train", "run=" + (folder / "t2"), "seed=1000003"}, {"validation_seed"});
  expect_refusal({"faults", "train", "run=" + (folder / "t3"), "model=resnet"}, {"conv_ae"}, 1);
}

}  // namespace
}  // namespace kern::testing
