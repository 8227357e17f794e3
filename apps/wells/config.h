// The configurations of the verbs of `kern wells`, and their keys.
#pragma once
#include <string>
#include <vector>

#include "data/wells.h"
#include "data/wells_batches.h"
#include "data/wells_normalise.h"
#include "data/wells_split.h"
#include "engine/card.h"
#include "models/table1d.h"
#include "training/classes.h"
#include "training/config.h"
#include "training/schedule.h"
#include "training/segmentation.h"

namespace kern::apps {

struct WellsClass {
  std::string name, colour;
  std::vector<std::string> codes;
};

struct WellsData {
  std::string path;
  std::vector<std::string> curves{"GR"};
  std::string label;
  std::vector<WellsClass> classes;
  bool ignore_unmapped = false;
  std::vector<double> null_values;
  std::string well_column = data::WellsOptions{}.well_column, depth_column = data::WellsOptions{}.depth_column;
  double step = 0;
  bool require_curves = false, strict = false;

  data::WellsOptions options() const;
  // Names and colours for a set of `count` classes: those configured, defaults where none are.
  training::ClassList class_list(int count) const;
};

struct WellsSplit {
  double validation = 0.2;
  int folds = 0, fold = 0;
  std::vector<std::string> validation_wells;
  data::SplitOptions options(uint64_t seed) const { return {validation, folds, fold, validation_wells, seed}; }
};

enum class Precision { f32 };
enum class OptimiserKind { adam, adamw, sgd };
enum class Monitor { mean_iou, macro_f1, accuracy };

struct Machine {
  DeviceChoice device = DeviceChoice::automatic;
  Precision precision = Precision::f32;
  int threads = 0;  // 0: all cores
  bool winograd = true, recompute = false;
  void apply() const;
  Device where() const { return device_of(device); }
};

// Of train, and of inspect, which reads the same file and looks at what concerns the data.
struct TrainConfig {
  WellsData data;
  WellsSplit split;
  data::Scaling scaling = data::Scaling::standard;
  data::Mask mask = data::Mask::automatic;
  std::vector<std::string> log10;
  data::Augmentation augmentation;

  std::string model = "unet_strided";
  std::vector<int> channels, strides;
  int kernel = 3, residual_units = 3;
  models::Norm norm = models::Norm::instance;
  std::string method = "supervised";

  int epochs = 20;
  int batch = 16, accumulate = 1;
  int window = 512;
  OptimiserKind optimiser = OptimiserKind::adam;
  double lr = 2e-3, weight_decay = 0, clip = 0, momentum = 0.9;
  bool nesterov = false;
  training::ScheduleKind schedule = training::ScheduleKind::poly;
  int warmup = 0;
  std::vector<int> schedule_milestones;
  int schedule_every = 0;
  double schedule_gamma = training::ScheduleOptions{}.gamma, schedule_rise = training::ScheduleOptions{}.rise;
  double ema = 0;
  training::ClassWeights class_weights = training::ClassWeights::none;
  int64_t seed = 1;

  Monitor monitor = Monitor::mean_iou;
  int patience = 0;
  training::Duration time_budget, checkpoint_every{60};

  std::string run = "runs/wells", resume;
  int remove_short = 0;
  int report_wells = 12;
  bool quiet = false;
  Machine machine;
};
void describe_train(training::Schema& keys, TrainConfig& config);

struct SynthesizeConfig {
  std::string out = "runs/synthetic_wells";
  int64_t wells = 100, samples = 1100, seed = 0;
  double step = 0.5, labelled_fraction = 1;
  bool csv = false;
};
void describe_synthesize(training::Schema& keys, SynthesizeConfig& config);

enum class WhichWells { validation, training, all };

struct EvaluateConfig {
  std::string model, data, run = "runs/wells_evaluation", label;
  WhichWells wells = WhichWells::all;
  bool ignore_unmapped = false, strict = false;
  int remove_short = 0, report_wells = 12;
  Machine machine;
};
void describe_evaluate(training::Schema& keys, EvaluateConfig& config);

struct PredictConfig {
  std::string model, data, out = "runs/wells_predictions";
  std::string mnemonic = "FACIES_PRED";
  bool probabilities = true, strict = false, overwrite = false;
  int remove_short = 0;
  Machine machine;
};
void describe_predict(training::Schema& keys, PredictConfig& config);

}  // namespace kern::apps
