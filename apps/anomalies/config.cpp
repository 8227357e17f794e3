#include "apps/anomalies/config.h"

namespace kern::apps {
namespace {
using training::above;
using training::at_least;
using training::between;
using training::one_of;
using training::required;
using training::Schema;

const training::Allowed kInside{.low = 0, .high = 1, .open_low = true, .open_high = true},
    kShare{.low = 0, .high = 1, .open_high = true};

void describe_folders(Schema& keys, AnomaliesData& d) {
  keys.key("good", d.good, "folders (or words of the list) of these names hold good images; case does not matter")
      .key("list", d.list, "text file of lines 'file label': only those images are taken, by those labels")
      .key("mask_dir", d.mask_dir,
           "folder of the defects' masks inside data=; empty: ground_truth, masks or mask, and PNG files beside a JPEG "
           "of the same name")
      .key("mask_from", d.mask_from, "a mask is named as its image, but for this part of the name ...")
      .key("mask_to", d.mask_to, "... which is this: mask_from=_D_ mask_to=_GT_ pairs a_D_1.png with a_GT_1.png")
      .choice("masks", d.masks, "where a mask marks the defect; zero: masks that are white where the thing is good",
              {{"nonzero", data::MaskKind::nonzero}, {"zero", data::MaskKind::zero}})
      .key("strict", d.strict, "a file that cannot be used ends the command instead of being named and skipped");
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& m : models::autoencoder_models()) names.push_back(m.name);
  names.push_back(kPadim);
  return names;
}
std::string model_words() {
  std::string words;
  for (const auto& m : models::autoencoder_models()) words += std::string(m.name) + ": " + m.help + "; ";
  return words + "padim: no training, statistics of a pretrained encoder's features at every position";
}
std::vector<std::string> rule_names() {
  std::vector<std::string> names;
  for (const auto& r : training::threshold_rules()) names.emplace_back(r.name);
  return names;
}
std::string rule_words() {
  std::string words;
  for (const auto& r : training::threshold_rules())
    words += (words.empty() ? "" : "; ") + std::string(r.name) + ": " + std::string(r.help) +
             (r.needs_anomalies ? "" : " (needs no anomalies)");
  return words;
}

void describe_model(Schema& keys, AnomaliesTrainConfig& c) {
  keys.section("Model")
      .key("model", c.model, model_words(), one_of(model_names()))
      .key("channels", c.network.channels,
           "auto-encoders: channels of the levels or widths of the hidden layers, down to the code; empty: the model's "
           "own",
           between(1, 65536))
      .key("code", c.network.code, "width of the code; 0: the model's own", between(0, 65536))
      .key("divergence", c.network.divergence,
           "models that draw their code: its divergence from N(0, 1) is part of loss and score; none: the model's own");
  keys.choice("spread", c.network.spread,
              "models that draw their code: what the network gives for its width; own: the model's own",
              {{"own", std::nullopt}, {"log_variance", Spread::log_variance}, {"log_sigma", Spread::log_sigma}});
  keys.choice("loss", c.measure, "of training and score; sse and mse are the sum and the mean of squared errors",
              {{"sse", models::Measure::sse},
               {"mse", models::Measure::mse},
               {"l1", models::Measure::l1},
               {"ssim", models::Measure::ssim}});
  keys.key("encoder.weights", c.padim.weights,
           "padim: safetensors or ONNX file of a pretrained MobileNetV2 with torchvision's or timm's names; empty: "
           "random "
           "weights, which tell much less")
      .key("encoder.width", c.padim.width, "padim: factor of MobileNetV2's channels, as the weights have it",
           between(0.05, 4))
      .key("levels", c.padim.levels, "padim: features at 1/2 (1), 1/4 (2), 1/8 (3), 1/16 (4), 1/32 (5) of the size",
           between(1, 5))
      .key("padim.average", c.padim.average,
           "side of the square of positions that every level's features are averaged over, odd (Roth et al. 2022); 0: "
           "the features before each stride instead, expanded and not averaged, as Defard et al. 2021",
           between(0, 31))
      .key("padim.channels", c.padim.channels,
           "drawn from the features' by seed; memory and the model file grow with the square", between(1, 2000))
      .key("padim.regularisation", c.padim.regularisation, "added to every variance", above(0))
      .key("padim.whole", c.padim.whole,
           "the score adds to the map's largest value how unusual the image is as a whole: Gaussians of features "
           "averaged over all positions, at the image's own aspect ratio (Rippel, Mertens and Merhof 2021); false: the "
           "largest value alone")
      .key("smoothing", c.smoothing,
           "of error maps: deviation of a Gaussian in prepared pixels; none: 4 for padim, 1 for auto-encoders",
           between(0, 100));
}
}  // namespace

data::AnomalySplitOptions AnomaliesTrainConfig::split_options() const {
  check(calibration != Calibration::left_out || model == kPadim,
        "calibration=left_out needs model=padim, which can "
        "forget an image without a new training; model=",
        model, " takes calibration=held_out");
  data::AnomalySplitOptions options = split;
  options.seed = uint64_t(split_seed);
  options.validation_trains = model == kPadim && calibration != Calibration::held_out;
  return options;
}

data::AnomalySetOptions AnomaliesData::set() const {
  return {.path = path,
          .good = good,
          .list = list,
          .mask_dir = mask_dir,
          .mask_from = mask_from,
          .mask_to = mask_to,
          .strict = strict};
}

data::Preprocess AnomaliesInput::chain(const std::string& model, bool grey) const {
  const bool padim = model == kPadim;
  check(size.empty() || size.size() == 2, "size= takes height and width, e.g. size=224,224; got ", size.size(),
        size.size() == 1 ? " number" : " numbers");
  check(crop.empty() || crop.size() == 2, "crop= takes height and width, e.g. crop=28,28; got ", crop.size(),
        crop.size() == 1 ? " number" : " numbers");
  check(!padim || !grey, "model=padim takes colours: leave grey=false, grey images become three equal channels");
  data::Preprocess p{.channels = grey ? 1 : 3};
  if (padim) {
    p.height = p.width = 224;
  } else {  // the originals': 28 x 48, of which the middle 28 x 28; sides that the model takes
    const int m = models::autoencoder_model(model).multiple, side = (28 + m - 1) / m * m;
    p.sharpen = 5, p.blur = 1;
    p.height = p.crop_height = p.crop_width = side, p.width = 48;
  }
  if (!size.empty()) p.height = size[0], p.width = size[1], p.crop_height = p.crop_width = 0;
  if (!crop.empty()) p.crop_height = crop[0], p.crop_width = crop[1];
  p.sharpen = sharpen.value_or(p.sharpen);
  p.blur = blur.value_or(p.blur);
  return p;
}

void describe_anomalies_init(Schema& keys, AnomaliesInitConfig& c) {
  keys.section("Data")
      .key("data", c.data, "folder of images: good ones in good/, defects in folders by their kind", required())
      .key("encoder.weights", c.weights,
           "safetensors or ONNX file of a pretrained MobileNetV2: model=padim then, which finds most; empty: an "
           "auto-encoder");
  keys.section("Output")
      .key("out", c.out, "configuration to write")
      .key("overwrite", c.overwrite, "replace it if it is there");
}

void describe_anomalies_train(Schema& keys, AnomaliesTrainConfig& c) {
  keys.section("Data").key(
      "data", c.data.path,
      "folder of images (JPEG, PNG, TIFF, BMP, GIF): good ones in good/, defects in folders by their kind; "
      "below train/, validation/ and test/ where the split is given",
      required());
  describe_folders(keys, c.data);
  keys.key("grey", c.data.grey, "images as one grey channel; false: three colours, whatever the files hold")
      .key("cache", c.data.cache, "MiB of decoded images kept in memory; what is beyond is decoded again when needed",
           at_least(0))
      .key("validation", c.split.validation,
           "share of the good images that find the threshold, with half of each kind of defect; with "
           "calibration=left_out "
           "they train as well",
           kShare)
      .key("test", c.split.test, "share of the good images that test it, with the other half", kShare)
      .key("split_seed", c.split_seed, "of that split: the same for all seeds, so that their runs can be compared",
           at_least(0));
  describe_groups(keys, c.split.groups, "a split or a calibration");
  keys.section("Inputs (in this order; stored in the model file)")
      .key("sharpen", c.input.sharpen, "factor; 1: not; none: 5 for auto-encoders, 1 for padim", at_least(0))
      .key("size", c.input.size, "height and width; empty: 28,48 for auto-encoders, 224,224 for padim",
           between(1, 4096))
      .key("crop", c.input.crop, "the middle of that; empty: 28,28 for auto-encoders if size= is not given, else all",
           between(1, 4096))
      .key("blur", c.input.blur, "deviation of a 3x3 Gaussian; 0: not; none: 1 for auto-encoders, 0 for padim",
           between(0, 10));
  describe_model(keys, c);
  describe_training(keys, c.recipe, "images");
  keys.choice("monitor", c.monitor,
              "what makes an epoch the best: the loss of the validation's good images, or the AUROC where it has "
              "anomalies",
              {{"loss", AnomaliesMonitor::loss}, {"auroc", AnomaliesMonitor::auroc}});
  keys.choice("compat", c.seed_compatible,
              "seed: as the originals, the blur is drawn from 0.1 to 2 and codes are drawn, in scoring too",
              {{"none", false}, {"seed", true}})
      .key("passes", c.passes, "compat=seed: an image's score is the mean of so many", between(1, 1000));
  describe_stopping(keys, c.recipe);
  keys.section("Threshold (found on the validation images alone)")
      .key("rule", c.rule, "the one that the model file uses; the report shows all. " + rule_words(),
           one_of(rule_names()))
      .key("quantile", c.thresholds.quantile,
           "share of the good images to come that score below the line, for rule quantile: 0.95 expects no more than 5 "
           "% "
           "false alarms",
           kInside)
      .key("recall", c.thresholds.true_positive, "share of the anomalies that rule recall finds",
           training::Allowed{.low = 0, .high = 1, .open_low = true})
      .key("missed", c.thresholds.missed, "what a missed anomaly costs, in false alarms, for rule cost", above(0))
      .key("level", c.thresholds.level, "the report shades the thresholds at which both rates reach this", kInside)
      .key("resamples", c.thresholds.resamples, "of the bootstrap intervals", between(0, 100000));
  keys.choice(
      "calibration", c.calibration,
      "good images that find the threshold. held_out: the validation's, which train nothing; left_out: all but "
      "the test's, each scored by the model without it and its group (model=padim, which needs no new training "
      "for that); auto: left_out where that can be",
      {{"auto", Calibration::automatic}, {"held_out", Calibration::held_out}, {"left_out", Calibration::left_out}});
  keys.section("Output")
      .key("run", c.run, "the run folder", required())
      .key("resume", c.resume, "go on with this run folder, by its own configuration")
      .key("panels", c.panels, "validation images drawn after every epoch", between(0, 16))
      .key("report_images", c.report_images, "images drawn in the report, the worst first", between(0, 200))
      .formerly("report_pictures")
      .key("quiet", c.quiet, "no progress bar");
  describe_machine(keys, c.machine);
}

void describe_anomalies_inspect(Schema& keys, AnomaliesTrainConfig& c) {
  describe_anomalies_train(keys, c);
  keys.section("Inspection").key("sheet", c.sheet, "write a contact sheet of the images to this PNG");
}

void describe_anomalies_synthesize(Schema& keys, AnomaliesSynthesizeConfig& c) {
  keys.section("Stand-in images")
      .key("out", c.out, "folder to write: train/good, validation/{good,spill}, test/{good,spill}, masks", required())
      .key("training", c.training, "good images to train on", between(1, 1000000))
      .key("validation", c.validation, "good images to validate on", at_least(0))
      .key("validation_spills", c.validation_spills, "spills to validate on", at_least(0))
      .key("test", c.test, "good images to test on", at_least(0))
      .key("test_spills", c.test_spills, "spills to test on", at_least(0))
      .key("height", c.height, "of an image, pixels", between(8, 4096))
      .key("width", c.width, "of an image, pixels", between(8, 4096))
      .key("strength", c.strength, "of the validation's spills: 1 is plain to see, 0.5 hard", at_least(0))
      .key("test_strength", c.test_strength, "of the test's spills: weaker, as those to come are", at_least(0))
      .key("drift", c.drift, "light and hue of the test's images move by this share, as from one season to the next",
           at_least(0))
      .key("sheet", c.sheet, "draw some images of each part to this PNG, outside of out=")
      .key("seed", c.seed, "equal seeds give equal images", at_least(0));
}

void describe_anomalies_evaluate(Schema& keys, AnomaliesEvaluateConfig& c) {
  keys.section("Evaluation")
      .key("model", c.model, "model file that 'kern anomalies train' made, or the run folder that holds it", required())
      .key("data", c.data.path, "folder of good and defective images", required());
  describe_folders(keys, c.data);
  describe_part(keys, "images", c.images);
  keys.key("level", c.level, "the report shades the thresholds at which both rates reach this", kInside)
      .key("report_images", c.report_images, "images drawn in the report, the worst first", between(0, 200))
      .formerly("report_pictures")
      .key("run", c.run, "folder for report.html, scores.csv and result.json", required())
      .key("overwrite", c.overwrite, "write over an earlier evaluation that stands there");
  describe_machine(keys, c.machine);
}

void describe_anomalies_predict(Schema& keys, AnomaliesPredictConfig& c) {
  keys.section("Prediction (exit codes: 0 all good, 1 anomalies found, 2 something could not be done)")
      .key("model", c.model, "model file that 'kern anomalies train' made, or the run folder that holds it", required())
      .key("data", c.data, "an image, a folder of images (searched recursively) or a pattern such as 'shift/*.png'")
      .key("watch", c.watch,
           "a folder instead: its images are evaluated as they arrive, until Ctrl-C or a file named stop in it")
      .key("every", c.every, "how often that folder is looked at", above(0))
      .key("csv", c.csv, "write file, score, threshold, verdict and margin to this table")
      .key("heat_maps", c.heat_maps, "write NAME_heat.png of every image to this folder: where it is unusual")
      .key("threshold", c.threshold, "scores above it are anomalies; none: the model's own")
      .key("rule", c.rule,
           "take the threshold that another rule found in training, e.g. youden; empty: the chosen one");
  describe_machine(keys, c.machine);
}

void describe_anomalies_compare(Schema& keys, AnomaliesCompareConfig& c) {
  keys.section("Comparison")
      .key("runs", c.runs, "folders of finished trainings; those that differ in seed alone are one method", required())
      .key("out", c.out, "folder for report.html and comparison.csv", required());
}

}  // namespace kern::apps
