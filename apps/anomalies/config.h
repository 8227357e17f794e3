// The configurations of the verbs of `kern anomalies`, and their keys.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "apps/parts.h"
#include "data/anomaly_set.h"
#include "data/masks.h"
#include "data/preprocess.h"
#include "models/table_autoencoder.h"
#include "training/machine.h"
#include "training/recipe.h"
#include "training/thresholds.h"

namespace kern::apps {

inline constexpr const char* kPadim = "padim";  // the model that is no auto-encoder

struct AnomaliesData {
  std::string path, list, mask_dir, mask_from, mask_to;
  std::vector<std::string> good = data::AnomalySetOptions().good;
  data::MaskKind masks = data::MaskKind::nonzero;  // or zero
  bool strict = false, grey = false;
  int64_t cache = 1024;  // MiB

  data::AnomalySetOptions set() const;
};

// What is not given is the model's own: the originals' chain for auto-encoders, 224 x 224 for PaDiM.
struct AnomaliesInput {
  std::vector<int> size, crop;  // height, width
  std::optional<double> sharpen, blur;

  data::Preprocess chain(const std::string& model, bool grey) const;
};

struct PadimKeys {
  std::string weights;
  double width = 1;
  std::vector<int> levels{2, 3, 4};
  int average = 0;
  int channels = 100;
  double regularisation = 0.01;
  bool whole = true;
};

enum class AnomaliesMonitor { loss, auroc };
enum class Calibration { automatic, held_out, left_out };

// Of train, and of inspect, which reads the same file and looks at what concerns the data.
struct AnomaliesTrainConfig {
  AnomaliesData data;
  data::AnomalySplitOptions split;
  int64_t split_seed = 1;
  AnomaliesInput input;

  std::string model = "conv_ae_fc";
  models::AutoencoderConfig network;  // its size is the prepared images'
  models::Measure measure = models::Measure::sse;
  PadimKeys padim;
  std::optional<double> smoothing;

  training::Recipe recipe{.epochs = 30, .batch = 128, .lr = 1e-3, .schedule = training::ScheduleKind::constant};
  AnomaliesMonitor monitor = AnomaliesMonitor::loss;
  std::string rule = "quantile";
  training::ThresholdOptions thresholds;
  Calibration calibration = Calibration::automatic;
  bool seed_compatible = false;
  int passes = 10;

  std::string run = "runs/anomalies", resume;
  int panels = 4;  // images drawn after every epoch
  int report_images = 12;
  bool quiet = false;
  training::Machine machine;

  std::string sheet;  // inspect: the contact sheet

  // Of the data's split, as the seed and the calibration say.
  data::AnomalySplitOptions split_options() const;
};
void describe_anomalies_train(training::Schema& keys, AnomaliesTrainConfig& config);
void describe_anomalies_inspect(training::Schema& keys, AnomaliesTrainConfig& config);

struct AnomaliesInitConfig {
  std::string data, weights, out = "anomalies.yaml";
  bool overwrite = false;
};
void describe_anomalies_init(training::Schema& keys, AnomaliesInitConfig& config);

struct AnomaliesSynthesizeConfig {
  std::string out, sheet;
  int64_t training = 2000, validation = 300, validation_spills = 100, test = 600, test_spills = 130;
  int height = 27, width = 48;
  double strength = 1, test_strength = 0.6, drift = 0;
  int64_t seed = 0;
};
void describe_anomalies_synthesize(training::Schema& keys, AnomaliesSynthesizeConfig& config);

struct AnomaliesEvaluateConfig {
  std::string model, run = "runs/anomalies_evaluation";
  bool overwrite = false;
  AnomaliesData data;
  DataPart images = DataPart::unseen;
  double level = 0.91;
  int report_images = 12;
  training::Machine machine;
};
void describe_anomalies_evaluate(training::Schema& keys, AnomaliesEvaluateConfig& config);

struct AnomaliesPredictConfig {
  std::string model, data, watch, csv, heat_maps;
  std::optional<double> threshold;
  std::string rule;
  training::Duration every{0.5};
  training::Machine machine;
};
void describe_anomalies_predict(training::Schema& keys, AnomaliesPredictConfig& config);

struct AnomaliesCompareConfig {
  std::vector<std::string> runs;
  std::string out = "runs/anomalies_comparison";
};
void describe_anomalies_compare(training::Schema& keys, AnomaliesCompareConfig& config);

}  // namespace kern::apps
