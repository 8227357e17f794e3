#include <gtest/gtest.h>

#include <fstream>

#include "data/image.h"
#include "engine/atomic_file.h"
#include "tests/apps/kern_process.h"
#include "tests/support/image_folder.h"
#include "tests/support/source_files.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

Arguments images_training(const std::string& data, const std::string& run, const Arguments& more = {}) {
  Arguments a{"images",
              "train",
              "data=" + data,
              "masks=nonzero",
              "channels=4,8",
              "batch=3",
              "epochs=2",
              "lr=0.01",
              "seed=3",
              "augment.flip_horizontal=true",
              "augment.noise=0.05",
              "quiet=true",
              "threads=1",
              "run=" + run};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

TEST(ImagesApp, TrainsEvaluatesAndPredictsFromTheModelFileAlone) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 10);
  run_well(images_training(folder / "data", folder / "run",
                           {"epochs=4", "loss={bce: 1, dice: 1}", "monitor=binary_iou", "--json", folder / "f.json"}));
  const std::string figures = read_file(folder / "f.json"), report = read_file(folder / "run/report.html");
  for (const char* word : {"binary_iou", "data_wait_share", "class_iou"}) EXPECT_TRUE(contains(figures, word)) << word;
  EXPECT_TRUE(contains(report, "data:image/png;base64,"));
  EXPECT_TRUE(contains(report, "epoch 4"));
  EXPECT_TRUE(fs::exists(folder / "run/panels/epoch_0001.png"));
  const Result evaluated = run_well({"images", "evaluate", "model=" + folder / "run", "data=" + folder / "data",
                                     "run=" + folder / "evaluated", "images=validation"});
  EXPECT_TRUE(contains(evaluated.out, "3 images: IoU of object"));
  // Without a word: what trained nothing. All of them once counted as if new.
  const Result unseen = run_well(
      {"images", "evaluate", "model=" + folder / "run", "data=" + folder / "data", "run=" + folder / "unseen"});
  EXPECT_TRUE(contains(unseen.out, "3 images: IoU of object")) << unseen.out;
  EXPECT_TRUE(contains(unseen.out + unseen.err, "trained this model and are left out")) << unseen.err;
  EXPECT_FALSE(contains(read_file(folder / "unseen/report.html"), "<td>validation</td>"));
  const Result all = run_well({"images", "evaluate", "model=" + folder / "run", "data=" + folder / "data",
                               "run=" + folder / "all", "images=all"});
  EXPECT_TRUE(contains(all.err, "trained this model: the figures are better than those of new images")) << all.err;
  // An evaluation is not written over unasked; keys that come too late for a run are named.
  const Arguments again{"images", "evaluate", "model=" + folder / "run", "data=" + folder / "data",
                        "run=" + folder / "all"};
  expect_refusal(again, {"holds the results of an earlier evaluation", "overwrite=true"});
  Arguments over = again;
  over.push_back("overwrite=true");
  run_well(over);
  const Result late = run_well({"images", "train", "resume=" + folder / "run", "lr=0.5", "report_images=2"});
  EXPECT_TRUE(contains(late.err, "lr=0.5, report_images=2 changes nothing of what it has learnt")) << late.err;
  EXPECT_TRUE(contains(late.err, "epochs=")) << late.err;
  EXPECT_FALSE(contains(run_well({"images", "train", "resume=" + folder / "run"}).err, "changes nothing"));

  fs::rename(folder / "run/model.safetensors", folder / "alone.safetensors");
  fs::remove_all(folder / "run");
  fs::create_directories(folder / "in/Größe");
  fs::copy_file(folder / "data/images/image_1.png", folder / "in/Größe/写真.png");
  write_file(folder / "in/one.png", data::encode_png(data::make_raster(1, 1, 3)));
  write_file(folder / "in/wide.png", data::encode_png(data::make_raster(2, 30000, 1)));
  write_file(folder / "in/cut.jpg", "\xFF\xD8\xFF");
  fs::copy_file(testing::source_file("tests/data/image/cmyk.jpg"), folder / "in/print.jpg");
  fs::copy_file(testing::source_file("tests/data/image/alpha.png"), folder / "in/alpha.png");
  fs::copy_file(testing::source_file("tests/data/image/stack.tif"), folder / "in/stack.tif");  // 11 pages
  const Result r = run_well({"images", "predict", "model=" + folder / "alone.safetensors", "data=" + folder / "in",
                             "out=" + folder / "out", "probabilities=true", "flips=both"});
  EXPECT_TRUE(contains(r.out, "15 images predicted, 2 skipped"));
  EXPECT_TRUE(contains(r.err, "CMYK")) << r.err;
  EXPECT_TRUE(contains(r.err, "cut.jpg is cut short")) << r.err;
  const data::StoredImage mask = data::read_stored(folder / "out/Größe/写真.png");
  EXPECT_EQ(mask.H, 24);
  EXPECT_EQ(mask.W, 32);
  EXPECT_EQ(mask.palette.size(), 2u);
  EXPECT_TRUE(fs::exists(folder / "out/Größe/写真_overlay.png"));
  EXPECT_TRUE(fs::exists(folder / "out/Größe/写真_probability.png"));
  EXPECT_EQ(data::image_info(fs::path(folder / "out/wide.png")).W, 30000);
  EXPECT_EQ(data::image_info(fs::path(folder / "out/stack.tif/page_11.png")).W, 13);
  expect_refusal(
      {"images", "predict", "model=" + folder / "alone.safetensors", "data=" + folder / "in", "out=" + folder / "out"},
      {"is there already", "overwrite=true"});
  expect_refusal({"images", "predict", "model=" + folder / "alone.safetensors", "data=" + folder / "in/cut.jpg",
                  "out=" + folder / "o2", "strict=true"},
                 {"cut.jpg"});
}

TEST(ImagesApp, TilesCoverAImageOfAnySize) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 8);
  run_well(images_training(folder / "data", folder / "run", {"size=16,16", "fit=crop"}));
  write_file(folder / "large.png", data::encode_png(data::make_raster(77, 53, 3, uint8_t(200))));
  run_well({"images", "predict", "model=" + folder / "run", "data=" + folder / "large.png", "out=" + folder / "out"});
  EXPECT_EQ(data::image_info(fs::path(folder / "out/large.png")).H, 77);
}

// 6000 x 6000 pixels squeezed to the 256 x 192 that a network was trained on show nothing: such an image is scaled as
// the training images were, and tiled.
TEST(ImagesApp, WhatIsMuchLargerThanTheTrainingImagesIsNotSqueezed) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 12);  // 24 x 32
  run_well(images_training(folder / "data", folder / "run", {"size=12,16", "fit=scale", "epochs=60", "lr=0.01"}));
  const data::Image one = data::read_image(folder / "data/images/image_0.png");
  data::Image mosaic = data::make_raster(5 * one.H, 5 * one.W, one.C);
  for (int64_t y = 0; y < mosaic.H; ++y)
    for (int64_t x = 0; x < mosaic.W; ++x) std::copy_n(one.at(y % one.H, x % one.W), one.C, mosaic.at(y, x));
  write_file(folder / "mosaic.png", data::encode_png(mosaic));
  write_file(folder / "one.png", data::encode_png(one));
  const auto mask_of = [&](const std::string& image, const std::string& out, const std::string& window, bool said) {
    const Result r = run_well({"images", "predict", "model=" + folder / "run", "data=" + folder / image,
                               "out=" + folder / out, "window=" + window});
    EXPECT_EQ(contains(r.err, "160 x 120 pixels, where the training images had 32 x 24"), said) << r.err;
    return data::read_stored(folder / out + "/" + image);  // class numbers
  };
  const data::StoredImage alone = mask_of("one.png", "o1", "auto", false),
                          tiled = mask_of("mosaic.png", "o2", "auto", true),
                          squeezed = mask_of("mosaic.png", "o3", "whole", false);
  // The square in the middle of the mosaic against that of the image alone.
  const auto alike = [&](const data::StoredImage& mask) {
    int64_t equal = 0;
    for (int64_t y = 0; y < one.H; ++y)
      for (int64_t x = 0; x < one.W; ++x)
        equal += (*alone.at(y, x) > 0) == (*mask.at(y + 2 * one.H, x + 2 * one.W) > 0);
    return double(equal) / double(one.H * one.W);
  };
  const auto marked = std::count_if(alone.pixels.begin(), alone.pixels.end(), [](uint16_t v) { return v > 0; });
  EXPECT_GT(marked, one.H * one.W / 20) << "the network learned nothing";
  EXPECT_GT(alike(tiled), 0.9);
  EXPECT_LT(alike(squeezed), alike(tiled));
}

TEST(ImagesApp, AStoppedTrainingGoesOnToTheBit) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 8);
  run_well(images_training(folder / "data", folder / "whole", {"epochs=3", "schedule=constant", "ema=0.9"}));
  run_well(images_training(folder / "data", folder / "parts", {"epochs=1", "schedule=constant", "ema=0.9"}));
  run_well({"images", "train", "resume=" + folder / "parts", "epochs=3"});
  for (const char* file : {"metrics.csv", "model.safetensors", "model_last.safetensors"})
    EXPECT_EQ(read_file(fs::path(folder / "whole") / file), read_file(fs::path(folder / "parts") / file)) << file;
  write_squares(folder.path() / "data", 9);
  expect_refusal({"images", "train", "resume=" + folder / "parts", "epochs=4"}, {"data"});
}

TEST(ImagesApp, InspectsAndPreviews) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 6);
  const std::string data = "data=" + folder / "data";
  const Result bad = run({"images", "inspect", data, "classes=[{name: a}, {name: b}]"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_TRUE(contains(bad.out, "the mask value 255 belongs to none of the 2 classes")) << bad.out;
  EXPECT_TRUE(contains(bad.out, "ignore=255"));
  EXPECT_TRUE(contains(bad.out, "set masks=nonzero where 255 is the object")) << bad.out;
  const Result good = run_well({"images", "inspect", data, "masks=nonzero", "sheet=" + folder / "sheet.png"});
  EXPECT_TRUE(contains(good.out, "0 errors"));
  EXPECT_GT(data::read_image(folder / "sheet.png").W, 100);
  run_well({"images", "preview", data, "masks=nonzero", "augment.rotate=10", "out=" + folder / "preview.png"});
  EXPECT_GT(data::read_image(folder / "preview.png").W, 100);
}

TEST(ImagesApp, EncodersAreAskedOfModelsThatHaveOne) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 6);
  const std::string data = "data=" + folder / "data", run = "run=" + folder / "run";
  for (const char* key : {"encoder.frozen=1", "encoder.lr=0.1", "encoder.weights=w.safetensors"})
    expect_refusal({"images", "train", data, run, "masks=nonzero", key}, {"model=unet has no encoder"});
  expect_refusal(
      {"images", "train", data, run, "masks=nonzero", "model=mobilenet_unet", "encoder.weights=w.safetensors"},
      {"w.safetensors"});
  run_well({"images", "train", data, run, "masks=nonzero", "model=mobilenet_unet", "encoder.frozen=2", "encoder.lr=0.5",
            "epochs=1", "batch=2", "size=64,64", "quiet=true"});
  run_well({"images", "predict", "model=" + folder / "run", data + "/images", "out=" + folder / "out"});
  EXPECT_TRUE(fs::exists(folder / "out"));
}

TEST(ImagesApp, RefusesWithTheRemedy) {
  const TemporaryFolder folder;
  write_squares(folder.path() / "data", 4);
  const std::string data = "data=" + folder / "data", run = "run=" + folder / "run";
  expect_refusal({"images", "train", data, run}, {"no classes", "masks=nonzero"});
  expect_refusal({"images", "train", data, run, "classes=[{name: a}, {name: b}]"},
                 {"holds 255", "2 classes", "ignore=255"});
  expect_refusal({"images", "train", data, run, "masks=nonzero", "size=16"}, {"height and width"});
  expect_refusal({"images", "train", data, run, "masks=nonzero", "fit=crop"}, {"fit=crop needs size="});
  expect_refusal({"images", "train", data, run, "masks=nonzero", "loss={bce: 1, ce: 1}"}, {"both ce and bce"});
  expect_refusal({"images", "train", data, run, "masks=nonzero", "loss={dise: 1}"}, {"'dise'", "dice"});
  expect_refusal({"images", "train", data, run, "masks=nonzero", "mask_dir=nowhere"}, {"mask_dir=nowhere"});
  make_folder(folder / "empty");
  expect_refusal({"images", "train", "data=" + folder / "empty", run, "masks=nonzero"},
                 {"holds no JPEG, PNG, TIFF, BMP or GIF"});
  for (const std::string name : {"other.png", "third.png"}) {
    data::Image other;
    write_file(folder / ("data/images/" + name),
               data::encode_png(square_image(name.size() + size_t(name[0]), 10, 10, other)));
    write_file(folder / ("data/masks/" + name), data::encode_png(other));
  }
  expect_refusal({"images", "train", data, run, "masks=nonzero", "validation=0.1", "seed=2"},
                 {"differ in size", "size="});
}

}  // namespace
}  // namespace kern::testing
