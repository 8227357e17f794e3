// `kern TASK init`: a configuration made from the data, which trains as it stands.
#include <gtest/gtest.h>

#include <cmath>

#include "data/spills_synthetic.h"
#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"
#include "tests/support/image_folder.h"

namespace kern::testing {
namespace init {
namespace fs = std::filesystem;

TEST(WellsInit, TrainsAsItStands) {
  const TemporaryFolder folder;
  synthesize(folder / "data", 8, 400);
  const std::string config = folder / "my.yaml";
  const Result r = run_well({"wells", "init", folder / "data", "out=" + config});
  EXPECT_TRUE(contains(r.out, "kern wells train " + config)) << r.out;
  const std::string text = read_file(config);
  for (const char* line : {"curves: [GR]", "label: FACIES", "8 of them with labels", "folds: 5", "codes: [\"3\"]"})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well({"wells", "train", config, "epochs=1", "quiet=true", "run=" + folder / "run"});
  EXPECT_TRUE(fs::exists(folder / "run/report.html"));
  expect_refusal({"wells", "init", folder / "data", "out=" + config}, {"is there already", "overwrite=true"});
  run_well({"wells", "init", folder / "data", "out=" + config, "overwrite=true"});
}

// A table of two curves under the names of a logging company, one that spans decades, words as labels, two wells of
// another step, a curve that few wells have, and coordinates that no family of curves knows.
TEST(WellsInit, FindsCurvesUnitsStepsAndLabels) {
  const TemporaryFolder folder;
  make_folder(folder / "data");
  const char* const words[] = {"sand", "shale", "coal"};
  for (int w = 0; w < 6; ++w) {
    const double step = w < 4 ? 0.5 : 0.25;
    std::string las = "~V\nVERS. 2.0 :\nWRAP. NO :\n~W\nSTRT.M 100 :\nSTOP.M 200 :\nSTEP.M " + std::to_string(step) +
                      " :\nNULL. -999.25 :\nWELL. W" + std::to_string(w) +
                      " :\n~C\nDEPT.M :\nSGR.API :\nILD.OHMM :\nX_LOC.M :\n" + (w == 0 ? "RHOB.G/CC :\n" : "") +
                      "FACIES_CONFIDENCE. :\nLITHO_CODE. :\n~A\n";
    for (int i = 0; i < 200; ++i) {
      const int k = i / 40 % 3;
      las += std::to_string(100 + i * step) + " " + std::to_string(30 + w + 40 * k + i % (7 + w)) + " " +
             std::to_string(k == 0 ? 1 + i % 5 : 1000 + i) + " 431000.5 " + (w == 0 ? "2.3 " : "") + "1 " +
             std::to_string(k == 2 ? 74000 : 30000 + 35000 * k) + "\n";
    }
    write_file(folder / ("data/w" + std::to_string(w) + ".las"), las);
  }
  const std::string config = folder / "my.yaml";
  run_well({"wells", "init", "data=" + folder / "data", "out=" + config});
  const std::string text = read_file(config);
  for (const char* line : {"curves: [SGR, ILD]", "log10: [ILD]", "label: LITHO_CODE", "step: 0.5", "name: sandstone",
                           "name: dolomite", "those of the FORCE 2020", "2 of 6 wells are sampled otherwise"})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well({"wells", "train", config, "epochs=1", "quiet=true", "run=" + folder / "run"});

  std::string table = "well,depth_m,GAMMA,zone\n";
  for (int w = 0; w < 4; ++w)
    for (int i = 0; i < 120; ++i)
      table += "A" + std::to_string(w) + "," + std::to_string(1000 + i) + "," + std::to_string(20 + 50 * (i / 40)) +
               "," + words[i / 40] + "\n";
  write_file(folder / "table.csv", table);
  run_well({"wells", "init", "data=" + folder / "table.csv", "out=" + folder / "t.yaml"});
  const std::string of_table = read_file(folder / "t.yaml");
  for (const char* line : {"curves: [GAMMA]", "label: zone", "{name: coal, codes: [coal]}", "validation: 0.25"})
    EXPECT_TRUE(contains(of_table, line)) << line << "\n" << of_table;
  run_well({"wells", "train", folder / "t.yaml", "epochs=1", "quiet=true", "run=" + folder / "run2"});
}

// Zones that follow each other are told by what lies above and below: whole wells, and labels that never go back.
TEST(WellsInit, MonotoneZonesAreReadInWholeWells) {
  const TemporaryFolder folder;
  std::string table = "well,depth_m,GR,zone\n";
  for (int w = 0; w < 24; ++w)
    for (int i = 0; i < 90; ++i)
      table += "A" + std::to_string(w) + "," + std::to_string(1000 + i) + "," +
               std::to_string(20 + (i * 7 + w) % 50 + 20 * (i / (30 + w % 5))) + ".5," +
               std::to_string(i / (30 + w % 5)) + "\n";
  write_file(folder / "zones.csv", table);
  run_well({"wells", "init", folder / "zones.csv", "out=" + folder / "z.yaml"});
  const std::string text = read_file(folder / "z.yaml");
  for (const char* line : {"window: 0", "batch: 4", "monotone: true", "epochs: 200"})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well({"wells", "train", folder / "z.yaml", "epochs=1", "quiet=true", "run=" + folder / "run"});
}

TEST(WellsInit, InspectWithoutALabelSaysWhatThereIs) {
  const TemporaryFolder folder;
  synthesize(folder / "data", 4, 200);
  const Result r = run_well({"wells", "inspect", "data=" + folder / "data"});
  EXPECT_TRUE(contains(r.out, "FACIES (4 wells)")) << r.out;
  EXPECT_TRUE(contains(r.out, "FACIES looks like labels")) << r.out;
  EXPECT_TRUE(contains(r.out, "next: kern wells train")) << r.out;
}

TEST(WellsInit, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  std::string table = "well,depth_m,GR\n";
  for (int i = 0; i < 60; ++i) table += "A," + std::to_string(i) + "," + std::to_string(i % 13) + ".5\n";
  write_file(folder / "t.csv", table);
  expect_refusal({"wells", "init", folder / "t.csv", "out=" + folder / "a.yaml"},
                 {"looks like labels", "label=", "GR"});
  expect_refusal({"wells", "init", folder / "t.csv", "label=GR", "out=" + folder / "a.yaml"}, {"one well has", "two"});
  expect_refusal({"wells", "init", folder / "none", "out=" + folder / "a.yaml"}, {"does not exist"});
  EXPECT_FALSE(fs::exists(folder / "a.yaml"));
}

TEST(ImagesInit, TrainsAsItStands) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 10, 64, 96);
  const std::string config = folder / "my.yaml";
  run_well({"images", "init", folder / "data", "out=" + config});
  const std::string text = read_file(config);
  for (const char* line : {"10 images, 10 with masks", "masks: nonzero", "size: [64, 96]", "fit: scale", "0 and 255"})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well({"images", "train", config, "epochs=1", "channels=4,8", "panels=0", "quiet=true", "run=" + folder / "run"});
  EXPECT_TRUE(fs::exists(folder / "run/report.html"));
}

// Thin lines in large images are looked at in parts; class numbers, void, and masks beside the images.
TEST(ImagesInit, FindsLayoutKindAndWidth) {
  const TemporaryFolder folder;
  make_folder(folder / "thin");
  make_folder(folder / "road/train");
  make_folder(folder / "road/trainannot");
  for (int i = 0; i < 4; ++i) {
    const std::string name = std::to_string(i);
    data::Image image = data::make_raster(400, 700, 1, uint8_t(90)), mask = data::make_raster(400, 700, 1);
    for (int64_t x = 0; x < 700; ++x)
      for (int64_t y = 0; y < 3; ++y) *mask.at(100 * i + 5 + y, x) = 255, *image.at(100 * i + 5 + y, x) = 200;
    write_file(folder / ("thin/" + name + ".png"), data::encode_png(image));
    write_file(folder / ("thin/" + name + "_gt.png"), data::encode_png(mask));
    data::Image classes = data::make_raster(60, 60, 1);
    for (int64_t y = 0; y < 60; ++y)
      for (int64_t x = 0; x < 60; ++x) *classes.at(y, x) = y < 4 ? 255 : uint8_t(x / 20);
    write_file(folder / ("road/train/" + name + ".png"),
               data::encode_png(data::make_raster(60, 60, 3, uint8_t(40 * i))));
    write_file(folder / ("road/trainannot/" + name + ".png"), data::encode_png(classes));
  }
  run_well({"images", "init", folder / "thin", "out=" + folder / "thin.yaml"});
  const std::string thin = read_file(folder / "thin.yaml");
  for (const char* line : {"mask_suffix: \"_gt\"", "fit: crop", "size: [256, 256]", "3 pixels wide", "grey: true"})
    EXPECT_TRUE(contains(thin, line)) << line << "\n" << thin;
  run_well({"images", "init", folder / "road", "out=" + folder / "road.yaml"});
  const std::string road = read_file(folder / "road.yaml");
  for (const char* line : {"image_dir: train", "mask_dir: trainannot", "masks: index", "values: [2]", "ignore: [255]"})
    EXPECT_TRUE(contains(road, line)) << line << "\n" << road;
  run_well({"images", "train", folder / "road.yaml", "epochs=1", "channels=4,8", "panels=0", "quiet=true",
            "run=" + folder / "run"});
  make_folder(folder / "none/images");
  write_file(folder / "none/images/a.png", data::encode_png(data::make_raster(30, 30, 1)));
  expect_refusal({"images", "init", folder / "none", "out=" + folder / "n.yaml"}, {"has a mask", "_mask"});
}

// Of several classes the narrowest and the rarest decide, and weights that are there are used.
TEST(ImagesInit, ARareNarrowClassAndWeightsAreSeen) {
  const TemporaryFolder folder;
  make_folder(folder / "poles/images");
  make_folder(folder / "poles/masks");
  for (int i = 0; i < 3; ++i) {  // a wide class beside a pole of 2 pixels, one pixel in 150
    data::Image mask = data::make_raster(400, 600, 1);
    for (int64_t y = 0; y < 400; ++y)
      for (int64_t x = 0; x < 600; ++x) *mask.at(y, x) = x < 200 ? 1 : x >= 400 && x < 402 + 2 * (y % 2) ? 2 : 0;
    const std::string name = std::to_string(i) + ".png";
    write_file(folder / ("poles/images/" + name), data::encode_png(data::make_raster(400, 600, 3, uint8_t(60 * i))));
    write_file(folder / ("poles/masks/" + name), data::encode_png(mask));
  }
  write_file(folder / "weights.safetensors", "not looked at yet");
  const auto init = [&](const Arguments& more) {
    Arguments a{"images", "init", folder / "poles", "out=" + folder / "a.yaml", "overwrite=true"};
    a.insert(a.end(), more.begin(), more.end());
    run_well(a);
    return read_file(folder / "a.yaml");
  };
  const std::string plain = init({}), encoded = init({"encoder.weights=" + folder / "weights.safetensors"});
  for (const char* line : {"fit: crop", "the narrowest class's", "class_weights: inverse_root", "model: unet"})
    EXPECT_TRUE(contains(plain, line)) << line << "\n" << plain;
  for (const char* line : {"model: mobilenet_fpn", "encoder.weights: ", "encoder.lr: 0.1"})
    EXPECT_TRUE(contains(encoded, line)) << line << "\n" << encoded;
  expect_refusal({"images", "init", folder / "poles", "out=" + folder / "b.yaml", "encoder.weights=nowhere"},
                 {"nowhere does not exist"});
}

TEST(AnomaliesInit, TrainsAsItStands) {
  const TemporaryFolder folder;
  for (const char* name : {"good", "spill", "ground_truth/spill"}) make_folder(folder.path() / "data" / name);
  for (int i = 0; i < 24; ++i)
    write_file(folder / ("data/good/p" + std::to_string(i) + ".png"),
               data::encode_png(data::spill_image(i, false, {}).image));
  for (int i = 0; i < 6; ++i) {
    const auto spill = data::spill_image(100 + i, true, {});
    write_file(folder / ("data/spill/s" + std::to_string(i) + ".png"), data::encode_png(spill.image));
    // White where the thing is good.
    data::Image mask = data::make_raster(spill.image.H, spill.image.W, 1, uint8_t(255));
    for (int64_t x = 0; x < 8; ++x) *mask.at(3, x) = 0;
    write_file(folder / ("data/ground_truth/spill/s" + std::to_string(i) + ".png"), data::encode_png(mask));
  }
  const std::string config = folder / "my.yaml";
  run_well({"anomalies", "init", folder / "data", "out=" + config});
  const std::string text = read_file(config);
  for (const char* line : {"24 good images, 6 defective (6 spill)", "masks: zero", "6 defects are too few",
                           "it promises less", "model: conv_ae_fc"})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well(
      {"anomalies", "train", config, "epochs=1", "resamples=0", "panels=0", "quiet=true", "run=" + folder / "run"});
  EXPECT_TRUE(fs::exists(folder / "run/report.html"));
  make_folder(folder.path() / "bad/spill");
  fs::copy(folder / "data/spill/s0.png", folder / "bad/spill/s0.png");
  expect_refusal({"anomalies", "init", folder / "bad", "out=" + folder / "n.yaml"}, {"is good", "good/"});
}

TEST(FaultsInit, TrainsAsItStandsOnSectionsLikeTheSurveys) {
  const TemporaryFolder folder;
  run_well({"faults", "synthesize", "out=" + folder / "sgy", "volumes=1", "sheet=0", "inlines=4", "crosslines=70",
            "samples=100", "interval=2000", "frequency=40", "noise=0.05", "faults=1"});
  const Result labels = run_well({"faults", "init", folder / "sgy/faults_00000.sgy", "out=" + folder / "labels.yaml"});
  EXPECT_TRUE(contains(labels.err, "are these labels")) << labels.err;
  const std::string config = folder / "my.yaml";
  const Result r = run_well({"faults", "init", folder / "sgy/amplitude_00000.sgy", "out=" + config});
  EXPECT_TRUE(contains(r.out, "kern faults predict model=runs/my data=")) << r.out;
  const std::string text = read_file(config);
  for (const char* line : {"every 2 ms", "synthetic.crosslines: 64", "synthetic.samples: 96",
                           "synthetic.interval: 2000", "strongest at", "# from: "})
    EXPECT_TRUE(contains(text, line)) << line << "\n" << text;
  run_well({"faults", "train", config, "epochs=1", "sections=4", "validation_sections=4", "channels=4,8", "quiet=true",
            "run=" + folder / "run"});
  EXPECT_TRUE(fs::exists(folder / "run/report.html"));
}

}  // namespace init
}  // namespace kern::testing
