// The configurations of the verbs of `kern faults`, and their keys.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data/segy.h"
#include "data/segy_format.h"
#include "data/seismic_synthetic.h"
#include "training/config.h"
#include "training/machine.h"
#include "training/methods.h"
#include "training/recipe.h"
#include "training/segmentation_loss.h"

namespace kern::apps {

// Where numbers stand in trace headers.
void describe_places(training::Schema& keys, data::SegyOptions& places);

// The generator's parameters: a range is a list of two numbers, or one number that holds always.
struct SyntheticKeys {
  using Numbers = std::vector<double>;
  int64_t inlines, crosslines, samples;
  double interval;  // microseconds
  Numbers bin, layer, facies, folds, fold_height, fold_width, tilt, faults, throw_, dip, strike, length, aspect, drag,
      damage, damage_width, period, frequency, phase, absorption, smear, noise, noise_frequency, noise_width, label;
  double reverse, parallel, conjugate, en_echelon, linear, listric, curved;
  double unconformity, onlap, channels, chaos, bright, salt, chimney;
  double ormsby, noise_dip, footprint, smiles, ground_roll, decay, seam, agc, stripes, mute, dead, holes;
  double least_throw, least_period;
  SyntheticKeys();  // the generator's own defaults
  // Throws an Error that names the key.
  data::SyntheticSeismic options(uint64_t seed) const;
  std::string to_yaml() const;  // every key, without a prefix
};
// `prefix` is put before every name: "synthetic." where a training has other keys too.
void describe_synthetic(training::Schema& keys, SyntheticKeys& to, const std::string& prefix = "");

struct FaultsInitConfig {
  std::string data, out = "faults.yaml";
  data::SegyOptions places;
  bool overwrite = false;
};
void describe_faults_init(training::Schema& keys, FaultsInitConfig& config);

struct FaultsTrainConfig {
  SyntheticKeys synthetic;
  std::string from;
  data::SegyOptions places;
  int64_t sections = 2000, validation_sections = 48, validation_seed = 1000003;
  int64_t crop = 0, uses = 8;
  bool fresh = true, augment = true;

  // A survey of the user's own that is learnt from.
  std::string start, survey, labels;
  std::vector<int> fault_values;
  double survey_share = 0.5;
  training::MethodRecipe method;

  std::string model = "unet";
  std::vector<int> channels;
  double dropout = 0;
  int64_t tile = 256;

  training::Recipe recipe{.batch = 8};
  training::LossOptions loss{.terms = {{"bce", 1}, {"dice", 1}}};
  double balance = 30;
  double divergence = 1e-3;

  std::string run = "runs/faults", resume;
  int report_sections = 12;
  bool quiet = false;
  training::Machine machine;
};
void describe_faults_train(training::Schema& keys, FaultsTrainConfig& config);

// A training that goes on from a trained model with a survey: the keys of `train`, at other defaults.
struct FaultsFitConfig : FaultsTrainConfig {
  FaultsFitConfig();
};
void describe_faults_fit(training::Schema& keys, FaultsFitConfig& config);

struct SegyInspectConfig {
  std::string data, out;
  data::SegyOptions places;
  std::optional<int> inline_number, crossline_number;
  training::Machine machine;
};
void describe_inspect(training::Schema& keys, SegyInspectConfig& config);

struct SynthesizeSeismicConfig {
  std::string out, from;
  int64_t volumes = 10;
  int64_t seed = 0;
  data::SegyFormat format = data::SegyFormat::float32;
  data::SegyOptions places;
  int sheet = 24;
  SyntheticKeys synthetic;
};
void describe_synthesize(training::Schema& keys, SynthesizeSeismicConfig& config);

// How a network looks at the same again: the mean of all passes.
struct FaultPasses {
  bool flips = false;
  std::vector<double> scales{1};  // of sections
};

// Along which lines a cube goes through the network; the mean where it is both.
enum class Passes { automatic, inlines, crosslines, both };

struct FaultsPredictConfig {
  std::string model, data, out = "runs/faults_predictions";
  data::SegyOptions places;
  Passes passes = Passes::automatic;
  FaultPasses looks;
  bool two_scales = false;
  int64_t tile = 0, margin = 16;
  double agc = 0;
  std::optional<double> threshold;
  bool thin = true, dip = false, azimuth = false;
  int64_t sticks = 5;
  int64_t least_piece = 20;
  double velocity = 2500;
  bool images = true, page = true;
  std::optional<int> inline_number, crossline_number;
  std::optional<double> slice;
  int64_t memory = 1024;  // MiB
  bool overwrite = false, strict = false, quiet = false;
  training::Machine machine;
};
void describe_faults_predict(training::Schema& keys, FaultsPredictConfig& config);

struct FaultsEvaluateConfig {
  std::string model, run = "runs/faults_evaluation";
  bool overwrite = false;
  std::string data, labels, mask_dir, mask_suffix, found;
  std::vector<int> fault_values;
  double tolerance = 2;
  bool thin = true, thin_labels = true, strict = false;
  data::SegyOptions places;
  int64_t sections = 100, crop = 64;
  int64_t seed = 2000003;
  SyntheticKeys synthetic;
  FaultPasses looks;
  bool two_scales = false;
  double agc = 0;
  std::optional<double> threshold;
  int64_t memory = 1024;  // MiB
  int report_sections = 12;
  training::Machine machine;
};
void describe_faults_evaluate(training::Schema& keys, FaultsEvaluateConfig& config);

struct FaultsCompareConfig {
  std::vector<std::string> runs;
  std::string out = "runs/faults_comparison";
  int report_sections = 8;
  training::Machine machine;
};
void describe_faults_compare(training::Schema& keys, FaultsCompareConfig& config);

}  // namespace kern::apps
