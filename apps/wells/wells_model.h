// A trained well-log network with everything prediction needs, and the model file that holds it.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/postprocess.h"
#include "data/wells_normalise.h"
#include "data/window_features.h"
#include "layers/module.h"
#include "models/table1d.h"
#include "training/classes.h"
#include "training/gradient_boosting.h"
#include "training/logistic_regression.h"
#include "training/penalty.h"
#include "training/segmentation.h"

namespace kern::apps {

struct WellsModel {
  std::string architecture;  // a row of models::signal1d_models()
  models::Signal1dConfig network;
  std::vector<std::string> curves;  // with aliases, as the configuration names them: "GR|GAMMA"
  data::Normalisation normalisation;
  bool reads_windows = false;  // of every sample what the logistic regression reads of it, instead of its curves
  double step = 0;             // the distance between samples it was trained on
  std::string step_unit;       // "m", "ft", or empty where the training wells did not say (and in older files)
  training::ClassList classes;
  std::vector<std::vector<std::string>> codes;  // of each class, in the files' own words; empty: the index
  std::vector<double> null_values;              // numbers that meant missing in its training wells
  std::string label;                            // the label curve it was trained on
  std::vector<std::string> training_wells, validation_wells, test_wells;
  data::Postprocess postprocess;  // of its labels, as in training
  std::string provenance;         // version, seed, data hash
  // The plain classifiers fitted to the same wells (apps/wells/baselines.h): they stand in the file so that an
  // evaluation of other data, where the training wells are not at hand, has the same yardsticks. Old files have none.
  std::optional<training::LogisticRegression> logistic;
  std::optional<training::GradientBoosting> boosting;
  bool on_boosting = false;  // with network.on_base: which of the two the network corrects
  std::optional<training::PenaltyMatrix> penalty;
  bool least_penalty = false;  // labels are the decision of least expected penalty

  AnyModule module;  // made by build() or load_wells_model()
  void build();      // a network with initial weights, from architecture and network
  int64_t class_count() const { return int64_t(classes.size()); }
  // Of what the network reads: curves or windows, and with network.on_base the baseline's logits.
  int64_t own_channels() const { return normalisation.channels() * (reads_windows ? data::kWindowFeatures : 1); }
  int64_t input_channels() const { return own_channels() + (network.on_base ? class_count() : 0); }
};

void save_wells_model(const std::filesystem::path& path, const WellsModel& model);
// Error when the file is no model of this task, or damaged.
WellsModel load_wells_model(const std::filesystem::path& path);

// What the network reads of n windows [n, length, channels] of normalised curves: [n, length, input_channels].
// trees: for each window those whose scores it gets, where they are not the model's own (those of other folds, for a
// network must not learn to correct trees by wells that they know).
using TreesOfWindow = std::vector<const training::GradientBoosting*>;
Tensor network_input(const WellsModel& model, const std::vector<float>& windows, int64_t n, int64_t length,
                     const TreesOfWindow& trees = {});
// Classes and probabilities of every sample of a well whose curves are the model's.
training::Segmentation predict_well(const WellsModel& model, const data::Well& well);

}  // namespace kern::apps
