// What needs no network: the scores that a training has to beat, in every evaluation.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "apps/wells/evaluation.h"
#include "apps/wells/wells_model.h"

namespace kern::apps {

struct Baseline {
  std::string key, name;  // in result.json: <key>_accuracy; in a report
  training::ConfusionMatrix matrix;
};

// How plain classifiers are fitted: of the labelled samples of these wells, of very many evenly spread ones. hide: the
// probability that a curve of a sample is missing (augment.hide_curve), drawn by the seed and the sample's number.
struct BaselineFit {
  double hide = 0;
  uint64_t seed = 0;
};
// Logistic regression on windows (data/window_features.h) of the model's own inputs. A second or two at most.
training::LogisticRegression fit_logistic(const WellsModel& model, const std::vector<data::Well>& wells,
                                          std::span<const int64_t> training, const BaselineFit& how);
// Boosted trees on windows whose missing values are missing. Some seconds.
training::GradientBoosting fit_boosting(const WellsModel& model, const std::vector<data::Well>& wells,
                                        std::span<const int64_t> training, const BaselineFit& how,
                                        const training::BoostingOptions& options);
// For a network that corrects the trees: trees for each of up to five parts of the training wells, which see the
// others alone. of_well: by the well's number; null for wells that do not train.
struct FoldTrees {
  std::vector<training::GradientBoosting> folds;
  std::vector<const training::GradientBoosting*> of_well;
};
FoldTrees fit_folds(const WellsModel& model, const std::vector<data::Well>& wells, std::span<const int64_t> training,
                    const BaselineFit& how, const training::BoostingOptions& options);
// Classes of every sample of a well.
std::vector<int> predict_logistic(const WellsModel& model, const data::Well& well);
std::vector<int> predict_boosting(const WellsModel& model, const data::Well& well);

// On the wells that were evaluated: always `commonest`; and the model's plain classifiers, where its file has them.
std::vector<Baseline> evaluate_baselines(const WellsModel& model, const std::vector<data::Well>& wells,
                                         const Evaluation& evaluation, int commonest);
// "always the commonest class 0.5260, 0.1379, 0.1052; ...": accuracy, macro-F1 and mean IoU of each, for the terminal.
std::string in_words(const std::vector<Baseline>& baselines);

}  // namespace kern::apps
