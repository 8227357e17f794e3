#include "apps/wells/baselines.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/window_features.h"
#include "kernels/common/parallel.h"

namespace kern::apps {
namespace {

// A bound on the time of a fit: samples, and samples x features.
constexpr int64_t kMaxSamples = 30000, kMaxValues = 3000000;

}  // namespace

training::LogisticRegression fit_logistic(const WellsModel& model, const std::vector<data::Well>& wells,
                                          std::span<const int64_t> training) {
  const int64_t channels = model.normalisation.channels(), features = channels * data::kWindowFeatures;
  int64_t labelled = 0;
  for (int64_t w : training) labelled += std::ranges::count_if(wells[size_t(w)].labels, [](int l) { return l >= 0; });
  const int64_t wanted = std::min({labelled, kMaxSamples, std::max<int64_t>(1000, kMaxValues / features)});
  std::vector<float> x;
  std::vector<int> y;
  int64_t seen = 0;
  for (int64_t w : training) {
    const data::Well& well = wells[size_t(w)];
    std::vector<float> inputs;  // made when the first sample of the well is taken
    for (int64_t i = 0; i < int64_t(well.labels.size()); ++i) {
      if (well.labels[size_t(i)] == data::kUnlabelled) continue;
      // Sample number `seen` is the taken one's number, evenly spread: floor(taken * labelled / wanted).
      if (seen++ != int64_t(y.size()) * labelled / wanted) continue;
      if (inputs.empty()) inputs = data::network_inputs(well, model.normalisation);
      x.resize(x.size() + size_t(features));
      data::window_features(inputs, channels, i, std::span(x).last(size_t(features)));
      y.push_back(well.labels[size_t(i)]);
    }
  }
  return training::fit_logistic_regression(x, y, model.class_count());
}

std::vector<int> predict_logistic(const WellsModel& model, const data::Well& well) {
  const std::vector<float> inputs = data::network_inputs(well, model.normalisation);
  const int64_t channels = model.normalisation.channels();
  std::vector<int> classes(size_t(well.length()));
  kernels::parallel_for(well.length(), 256, [&](int64_t begin, int64_t end) {
    std::vector<float> x(size_t(channels * data::kWindowFeatures));
    for (int64_t i = begin; i < end; ++i) {
      data::window_features(inputs, channels, i, x);
      classes[size_t(i)] = model.logistic->predict(x);
    }
  });
  return classes;
}

std::vector<Baseline> evaluate_baselines(const WellsModel& model, const std::vector<data::Well>& wells,
                                         const Evaluation& evaluation, int commonest) {
  std::vector<Baseline> out{
      {"majority", "always the commonest class", training::majority_baseline(evaluation.matrix, commonest)}};
  if (!model.logistic) return out;
  Baseline& logistic = out.emplace_back(
      Baseline{"logistic", "logistic regression on windows", training::ConfusionMatrix(model.classes)});
  for (const EvaluatedWell& j : evaluation.wells) {
    const data::Well& well = wells[size_t(j.well)];
    if (!well.labels.empty()) logistic.matrix.add(well.labels, predict_logistic(model, well));
  }
  return out;
}

std::string in_words(const std::vector<Baseline>& baselines) {
  std::string words;
  for (const Baseline& b : baselines)
    words += fmt::format("{}{} {:.4f}, {:.4f}, {:.4f}", words.empty() ? "" : "; ", b.name, b.matrix.accuracy(),
                         b.matrix.macro_f1(), b.matrix.mean_iou());
  return words;
}

}  // namespace kern::apps
