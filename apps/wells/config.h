// The configurations of the verbs of `kern wells`, and their keys.
#pragma once
#include <string>
#include <vector>

#include "apps/parts.h"
#include "data/postprocess.h"
#include "data/wells.h"
#include "data/wells_batches.h"
#include "data/wells_normalise.h"
#include "data/wells_split.h"
#include "models/table1d.h"
#include "training/classes.h"
#include "training/gradient_boosting.h"
#include "training/machine.h"
#include "training/methods.h"
#include "training/monitor.h"
#include "training/recipe.h"
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
  double test = 0;
  int64_t seed =
      1;  // not that of the training: trainings that differ in their seed alone are validated on the same wells
  data::SplitOptions options() const { return {validation, folds, fold, validation_wells, test, uint64_t(seed)}; }
};

enum class Features { curves, windows };             // of every sample
enum class ResidualOn { none, logistic, boosting };  // what a network corrects
enum class Decision { most_probable, least_penalty };

// Of train, and of inspect, which reads the same file and looks at what concerns the data.
struct TrainConfig {
  WellsData data;
  WellsSplit split;
  data::Scaling scaling = data::Scaling::standard;
  data::Mask mask = data::Mask::automatic;
  std::vector<std::string> log10;
  bool per_well = false;
  data::Augmentation augmentation{.hide_curve = 0.1};

  std::string model = "unet_strided";
  std::vector<int> channels, strides;
  int kernel = 3, residual_units = 3, radius = 32;
  models::Norm norm = models::Norm::instance;
  Features features = Features::curves;
  ResidualOn residual_on = ResidualOn::none;
  std::vector<std::string> baseline{"logistic", "boosting"};
  training::BoostingOptions boosting{.leaves = 4};  // between wells small trees hold better than large ones

  training::MethodRecipe method;
  double labelled_fraction = 1;
  std::vector<std::string> labelled_wells;
  data::StrongView strong;

  training::Recipe recipe{.lr = 2e-3};
  int window = 512;
  training::ClassWeights class_weights = training::ClassWeights::none;

  training::Monitor monitor = training::Monitor::mean_iou;
  std::string penalty;  // "", "force2020" or a file
  Decision decision = Decision::most_probable;

  std::string run = "runs/wells", resume;
  data::Postprocess postprocess;
  int report_wells = 12;
  bool quiet = false;
  training::Machine machine;
};
void describe_train(training::Schema& keys, TrainConfig& config);

struct InitConfig {
  std::string data, label, out = "wells.yaml";
  bool overwrite = false;
};
void describe_init(training::Schema& keys, InitConfig& config);

struct SynthesizeConfig {
  std::string out = "runs/synthetic_wells";
  int64_t wells = 100, samples = 1100, seed = 0;
  double step = 0.5, labelled_fraction = 1;
  bool csv = false;
};
void describe_synthesize(training::Schema& keys, SynthesizeConfig& config);

// What evaluate and predict do to a model's labels: as its training did, unless they are told otherwise.
struct AfterModel {
  enum class Monotone { as_trained, on, off } monotone = Monotone::as_trained;
  int remove_short = -1;  // -1: as in training
  data::Postprocess over(const data::Postprocess& trained) const;
};

struct EvaluateConfig {
  std::string model, data, run = "runs/wells_evaluation", label;
  bool overwrite = false;
  DataPart wells = DataPart::unseen;
  bool ignore_unmapped = false, strict = false;
  AfterModel after;
  int report_wells = 12;
  training::Machine machine;
};
void describe_evaluate(training::Schema& keys, EvaluateConfig& config);

struct PredictConfig {
  std::string model, data, out = "runs/wells_predictions";
  std::string mnemonic = "FACIES_PRED";
  bool probabilities = true, strict = false, overwrite = false;
  int min_curves = 1;
  std::vector<double> null_values;
  AfterModel after;
  training::Machine machine;
};
void describe_predict(training::Schema& keys, PredictConfig& config);

}  // namespace kern::apps
