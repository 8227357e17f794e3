// kern export: every model of every task as an ONNX file. That it computes what Kern computes is asked of onnxruntime and
// OpenVINO, where KERN_PYTHON or .venv in the project's folder has them (scripts/check_onnx).
#include "apps/export.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "apps/anomalies/anomalies_model.h"
#include "apps/faults/faults_model.h"
#include "apps/images/images_model.h"
#include "apps/wells/wells_model.h"
#include "engine/atomic_file.h"
#include "engine/autograd.h"
#include "engine/onnx_weights.h"
#include "engine/random.h"
#include "models/section_models.h"
#include "tests/apps/kern_process.h"
#include "tests/support/source_files.h"
#include "training/gradient_boosting.h"
#include "training/section_inference.h"

namespace kern::testing {
namespace {
using namespace kern::apps;
namespace fs = std::filesystem;

// As after a training: no parameter is 0 or 1, no running statistic either.
void shake(const AnyModule& network) {
  RandomSequence random(7, RandomStream::noise);
  for (NamedTensor t : network.tensors()) {
    std::vector<float> values = t.tensor.values();
    for (float& v : values) v = float(double(v) * random.uniform(0.8, 1.2) + random.uniform(-0.02, 0.02));
    t.tensor.copy_from(Tensor::from(t.tensor.shape(), values));
  }
}

enum class Reads { curves, windows, base, trees, windows_and_trees };
// Trees that split at values and at missing ones, deeper than the few of a default model.
training::GradientBoosting trees_of_chance(int64_t curves) {
  const int64_t n = 240, features = curves * data::kWindowFeatures;
  std::vector<float> x = uniform({n, features}, -2, 2).values();
  std::vector<int> labels;
  for (int64_t i = 0; i < n; ++i) {
    labels.push_back(int(x[size_t(i * features)] > 0) + int(x[size_t(i * features + 1)] > 0.5f));
    if (i % 3 == 0) x[size_t(i * features)] = std::nanf("");
  }
  return training::fit_gradient_boosting(x, labels, 3, {.rounds = 12, .leaves = 7, .least_samples = 5});
}
WellsModel wells_model(const std::string& architecture, bool mask = true, Reads reads = Reads::curves) {
  WellsModel m{.architecture = architecture, .curves = {"GR", "RT"}, .label = "FACIES"};
  m.normalisation = {{{"GR", false, 75, 30}, {"RT", true, 1, 0.5}}, mask};
  m.network = {.in = mask ? 4 : 2, .out = 3, .radius = 6};
  if (architecture == "lstm" || architecture == "bilstm") m.network.channels = {16, 16};
  else if (architecture == "mlp") m.network.channels = {24, 12};
  else m.network.channels = {6, 8, 12};
  if (architecture.starts_with("unet"))
    m.network.strides = architecture == "unet" ? std::vector{1, 1} : std::vector{2, 3};
  m.classes = {{"shale", "#777777"}, {"sand", "#ffff00"}, {"coal", "#000000"}};
  m.reads_windows = reads == Reads::windows || reads == Reads::windows_and_trees;
  m.on_boosting = reads == Reads::trees || reads == Reads::windows_and_trees;
  m.network.on_base = reads == Reads::base || m.on_boosting;
  m.network.in = int(m.own_channels());
  if (reads == Reads::base) {
    const int64_t features = m.normalisation.channels() * data::kWindowFeatures;
    m.logistic =
        training::LogisticRegression{features, 3, uniform({3, features}, -0.3f, 0.3f).values(), {0.1f, 0, -0.1f}};
  }
  if (m.on_boosting) m.boosting = trees_of_chance(2);
  m.build();
  shake(m.module);
  m.module.set_training(false);
  return m;
}
WellsModel of_own_scales(WellsModel m) {
  m.normalisation.per_well = true;
  return m;
}
ImagesModel images_model(const std::string& architecture, int in = 3, int out = 3) {
  ImagesModel m{.architecture = architecture, .H = 32, .W = 64};
  m.network = {.in = in, .out = out};
  if (architecture == "unet") m.network.channels = {6, 8, 12};
  if (architecture == "mobilenet_unet") m.network.channels = {8, 8, 16, 16};
  if (architecture == "mobilenet_fpn") m.network.channels = {12, 8};
  if (architecture == "vgg16_unet") m.network.channels = {6, 8, 10, 12};
  m.classes = {{"background", "#000000", {0}}, {"object", "#ffffff", {1}}};
  if (out == 3) m.classes.push_back({"other", "#ff0000", {2}});
  m.build();
  shake(m.module);
  m.module.set_training(false);
  return m;
}
FaultsModel faults_model(const std::string& architecture) {
  FaultsModel m{.architecture = architecture};
  m.network.channels = architecture == "dense_ae" ? std::vector{24, 12} : std::vector{6, 8, 12};
  m.build();
  shake(m.module);
  m.module.set_training(false);
  return m;
}
AnomaliesModel anomalies_model(const std::string& architecture, models::Measure measure = models::Measure::sse,
                               int average = 0) {
  AnomaliesModel m{.architecture = architecture};
  const int side = architecture == kPadim ? 64 : 24;
  m.chain = {.channels = 3, .height = side, .width = side + 8, .crop_height = side, .crop_width = side + 8};
  m.network.size = {3, side, side + 8};
  m.smoothing = 1.2;
  m.measure = measure;
  m.threshold = 1;
  if (m.is_padim()) {
    m.features = {.encoder = {.classes = 0, .width = 0.25}, .levels = {2, 3}, .average = average};
    m.shape = {side / 4, (side + 8) / 4, models::EncoderFeatures(m.features).channels()};
  } else {
    m.network.channels = architecture == "conv_ae_fc" ? std::vector{6, 20}
                         : architecture == "ae"       ? std::vector{24, 12}
                         : architecture == "vae"      ? std::vector{20}
                                                      : std::vector{6, 8};
  }
  m.build();
  shake(m.module);
  m.module.set_training(false);
  if (m.is_padim()) {
    m.padim.emplace(m.shape, training::PadimOptions{.channels = 12});
    m.padim->add(features_of(m, uniform({20, side, side + 8, 3}, 0, 1)));
    m.padim->fit();
  }
  return m;
}

// Every model of every task, small and with weights of chance.
std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> every_model() {
  std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> all;
  for (const auto& m : models::signal1d_models())
    all.emplace_back(text("wells ", m.name), [m](const fs::path& p) { save_wells_model(p, wells_model(m.name)); });
  all.emplace_back("wells unmasked", [](const fs::path& p) { save_wells_model(p, wells_model("unet", false)); });
  all.emplace_back("wells of windows",
                   [](const fs::path& p) { save_wells_model(p, wells_model("mlp", false, Reads::windows)); });
  all.emplace_back("wells on a base",
                   [](const fs::path& p) { save_wells_model(p, wells_model("unet_strided", true, Reads::base)); });
  for (const bool mask : {true, false})
    all.emplace_back(text("wells on boosted trees", mask ? "" : ", unmasked"), [mask](const fs::path& p) {
      save_wells_model(p, wells_model("unet_strided", mask, Reads::trees));
    });
  all.emplace_back("wells by their own scales",
                   [](const fs::path& p) { save_wells_model(p, of_own_scales(wells_model("unet"))); });
  all.emplace_back("wells of windows on boosted trees by their own scales", [](const fs::path& p) {
    save_wells_model(p, of_own_scales(wells_model("mlp", true, Reads::windows_and_trees)));
  });
  for (const auto& m : models::image2d_models())
    all.emplace_back(text("images ", m.name), [m](const fs::path& p) { save_images_model(p, images_model(m.name)); });
  all.emplace_back("images of one logit", [](const fs::path& p) { save_images_model(p, images_model("unet", 1, 1)); });
  all.emplace_back("images padded as by TensorFlow", [](const fs::path& p) {
    ImagesModel m = images_model("mobilenet_unet");
    m.network.padding = models::PaddingConvention::tensorflow;
    m.build();
    shake(m.module);
    save_images_model(p, m);
  });
  for (const auto& m : models::section_models())
    if (m.takes_single_sections())
      all.emplace_back(text("faults ", m.name), [m](const fs::path& p) { save_faults_model(p, faults_model(m.name)); });
  for (const auto& m : models::autoencoder_models())
    all.emplace_back(text("anomalies ", m.name),
                     [m](const fs::path& p) { save_anomalies_model(p, anomalies_model(m.name)); });
  all.emplace_back("anomalies by ssim", [](const fs::path& p) {
    save_anomalies_model(p, anomalies_model("deep_conv_ae", models::Measure::ssim));
  });
  for (const int average : {0, 3})
    all.emplace_back(text("anomalies padim, features averaged over ", average), [average](const fs::path& p) {
      save_anomalies_model(p, anomalies_model(kPadim, models::Measure::sse, average));
    });
  return all;
}

std::string python() {
  if (const char* given = std::getenv("KERN_PYTHON")) return given;
  const std::string own = source_file(".venv/bin/python");
  return fs::exists(own) ? own : "";
}

TEST(Export, EveryModelIsWrittenAndComputesTheSameElsewhere) {
  const TemporaryFolder folder;
  std::string command = "'" + python() + "' '" + source_file("scripts/check_onnx") + "'";
  int n = 0;
  for (const auto& [name, save] : every_model()) {
    const std::string model = folder / text("m", n, ".safetensors"), onnx = folder / text("m", n, ".onnx"),
                      samples = folder / text("s", n, ".safetensors");
    ++n;
    save(model);
    const Result r = run_well({"export", "model=" + model, "samples=" + samples});
    EXPECT_TRUE(contains(r.out, "ONNX opset 17")) << name << r.out;
    const TensorFile file = parse_onnx(read_file(onnx), onnx);
    EXPECT_FALSE(file.tensors.empty()) << name;
    EXPECT_EQ(file.metadata.at("kern.task"), name.substr(0, name.find(' '))) << name;
    command += " '" + onnx + "' '" + samples + "'";
  }
  EXPECT_GE(n, 18);
  if (python().empty()) GTEST_SKIP() << "neither KERN_PYTHON nor .venv is there: the files were written, not run";
  const std::string said = folder / "said.txt";
  const int status = std::system((command + " > '" + said + "' 2>&1").c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << python() << ": " << read_file(said);
  EXPECT_EQ(status, 0) << read_file(said);
}

void expect_near(const Tensor& got, const std::vector<float>& want, float tolerance) {
  const std::vector<float> values = got.values();
  ASSERT_EQ(values.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    ASSERT_TRUE(std::abs(values[i] - want[i]) <= tolerance * std::max(1.0f, std::abs(want[i])))
        << i << ": " << values[i] << " and " << want[i];
}

// What is exported is what the apps predict with.
TEST(Export, GivesWhatTheAppsPredict) {
  const NoGrad off;
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  data::Well well{.id = "w"};
  well.curves = {{.name = "GR", .values = {}}, {.name = "RT", .values = {}}};
  std::vector<float> curves;
  for (int i = 0; i < 80; ++i) {  // of one curve as many values as a scale of its own needs, of the other too few
    well.depth.push_back(i);
    curves.push_back(i % 7 == 3 ? std::nanf("") : float(60 + i)), curves.push_back(float(i) - 33);
    well.curves[0].values.push_back(curves[curves.size() - 2]), well.curves[1].values.push_back(curves.back());
  }
  for (const Reads reads : {Reads::curves, Reads::windows, Reads::base, Reads::trees, Reads::windows_and_trees})
    for (const bool mask : {true, false})
      for (const bool own : {true, false}) {
        WellsModel wells = wells_model("unet_strided", mask, reads);
        if (own) wells = of_own_scales(wells);
        save_wells_model(path, wells);
        expect_near(computed(export_wells(path).onnx, Tensor::from({1, 80, 2}, curves))[0],
                    predict_well(wells, well).probabilities, 1e-5f);
      }

  const ImagesModel images = images_model("unet");
  save_images_model(path, images);
  data::Image image = data::make_raster<uint8_t>(32, 64, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = uint8_t(i * 37 % 256);
  const std::vector<float> pixels(image.pixels.begin(), image.pixels.end());
  const data::Image* const one[] = {&image};
  expect_near(computed(export_images(path).onnx, Tensor::from({1, 32, 64, 3}, pixels))[0],
              pass_together(images, one, {32, 64}).values(), 1e-5f);

  const FaultsModel faults = faults_model("unet");
  save_faults_model(path, faults);
  const Tensor section = uniform({1, 40, 36, 1}, -4, 4);
  expect_near(computed(export_faults(path).onnx, section)[0],
              training::section_probability(faults.module, section.values(), 40, 36), 1e-5f);

  for (const char* architecture : {"vae", "conv_ae", kPadim}) {
    const AnomaliesModel anomalies = anomalies_model(architecture);
    save_anomalies_model(path, anomalies);
    const auto [H, W] = anomalies.size();
    data::Image seen = data::make_raster<uint8_t>(H, W, 3);
    for (size_t i = 0; i < seen.pixels.size(); ++i) seen.pixels[i] = uint8_t(i * 37 % 256);
    const std::vector<ScoredImage> scored = score_images(anomalies, {&seen, 1}, false);
    const Exportable e = export_anomalies(path);
    const std::vector<Tensor> got =
        e.onnx.run(Tensor::from({1, H, W, 3}, std::vector<float>(seen.pixels.begin(), seen.pixels.end())));
    expect_near(got.back(), {float(scored[0].score)}, 2e-5f);
    expect_near(got[got.size() - 2], scored[0].map, 2e-5f);
  }
}

TEST(Export, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string model = folder / "m.safetensors";
  save_wells_model(model, wells_model("mlp"));
  expect_refusal({"export"}, {"model", "must be given"});
  expect_refusal({"export", "model=" + (folder / "none")}, {"none"});
  expect_refusal({"export", "model=" + model, "format=tflite"}, {"format", "onnx"});
  expect_refusal({"export", "model=" + model, "data=x"}, {"samples=FILE"});
  expect_refusal({"export", "model=" + model, "out=" + (folder / "no/such.onnx")}, {"such.onnx"});
  write_file(folder / "m.onnx", "here");
  expect_refusal({"export", "model=" + model}, {"m.onnx", "overwrite=true"});
  EXPECT_EQ(read_file(folder / "m.onnx"), "here");
  expect_refusal({"export", "model=" + (folder / "m.onnx")}, {"m.onnx", "not a safetensors file"});
}

// What was exported serves as weights by name.
TEST(Export, OnnxIsReadAsWeights) {
  const TemporaryFolder folder;
  save_tensors(folder / "w.safetensors", {{"a", Tensor::from({2}, std::vector<float>{1, 2})}}, {});
  EXPECT_EQ(load_weights(folder / "w.safetensors").tensors.size(), 1u);
  save_images_model(folder / "m.safetensors", images_model("mobilenet_unet"));
  run_well({"export", "model=" + (folder / "m.safetensors")});
  const TensorFile file = load_weights(folder / "m.onnx");
  const Tensor* const stem = file.find("encoder.features.0.0.weight");
  ASSERT_TRUE(stem);
  EXPECT_EQ(stem->shape(), (Shape{32, 3, 3, 3}));
}

}  // namespace
}  // namespace kern::testing
