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

// Logistic regression on windows (data/window_features.h) of the model's own inputs, of the labelled samples of these
// wells; of very many evenly spread ones. A second or two at most; the model file keeps it (WellsModel::logistic).
training::LogisticRegression fit_logistic(const WellsModel& model, const std::vector<data::Well>& wells,
                                          std::span<const int64_t> training);
// Classes of every sample of a well.
std::vector<int> predict_logistic(const WellsModel& model, const data::Well& well);

// On the wells that were evaluated: always `commonest`; and the model's logistic regression, where its file has one.
std::vector<Baseline> evaluate_baselines(const WellsModel& model, const std::vector<data::Well>& wells,
                                         const Evaluation& evaluation, int commonest);
// "always the commonest class 0.5260, 0.1379, 0.1052; ...": accuracy, macro-F1 and mean IoU of each, for the terminal.
std::string in_words(const std::vector<Baseline>& baselines);

}  // namespace kern::apps
