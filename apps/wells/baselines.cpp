#include "apps/wells/baselines.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "data/wells_views.h"
#include "data/window_features.h"
#include "engine/random.h"
#include "kernels/common/parallel.h"

namespace kern::apps {
namespace {

// A bound on the time of a fit: samples, and samples x features.
constexpr int64_t kMaxSamples = 30000, kMaxValues = 3000000, kMaxValuesOfTrees = 6000000, kMaxFolds = 5;

struct Table {
  std::vector<float> x;  // [samples, features]
  std::vector<int> y;
};
// The labelled samples that a fit is given, evenly spread where there are very many, as they are and once more with
// curves hidden where the draw hides any; row: fills the features of one.
template <class Row>
Table table_of(const WellsModel& model, const std::vector<data::Well>& wells, std::span<const int64_t> training,
               const BaselineFit& how, int64_t features, int64_t values, const Row& row) {
  const int64_t curves = int64_t(model.normalisation.curves.size());
  int64_t labelled = 0;
  for (int64_t w : training) labelled += std::ranges::count_if(wells[size_t(w)].labels, [](int l) { return l >= 0; });
  const int64_t wanted = std::min({labelled, kMaxSamples, std::max<int64_t>(1000, values / features)});
  Table t;
  int64_t seen = 0, taken = 0;
  for (int64_t w : training) {
    const data::Well& well = wells[size_t(w)];
    std::vector<float> inputs;  // made when the first sample of the well is taken
    for (int64_t i = 0; i < int64_t(well.labels.size()); ++i) {
      if (well.labels[size_t(i)] == data::kUnlabelled) continue;
      // Sample number `seen` is the taken one's number, evenly spread: floor(taken * labelled / wanted).
      if (seen++ != taken * labelled / wanted) continue;
      if (inputs.empty()) inputs = data::network_inputs(well, model.normalisation);
      RandomSequence random(how.seed, RandomStream::augment, uint32_t(taken++), 1u << 31);
      const std::vector<char> none(size_t(curves), 0), hidden = data::drawn_curves(curves, how.hide, random);
      for (const auto* now : {&none, &hidden}) {
        if (now == &hidden && hidden == none) break;
        t.x.resize(t.x.size() + size_t(features));
        row(inputs, i, *now, std::span(t.x).last(size_t(features)));
        t.y.push_back(well.labels[size_t(i)]);
      }
    }
  }
  return t;
}

// Classes of a well by a classifier that fills `features` by `row` and answers by `answer`.
template <class Row, class Answer>
std::vector<int> predict(const WellsModel& model, const data::Well& well, int64_t features, const Row& row,
                         const Answer& answer) {
  const std::vector<float> inputs = data::network_inputs(well, model.normalisation);
  std::vector<int> classes(size_t(well.length()));
  kernels::parallel_for(well.length(), 256, [&](int64_t begin, int64_t end) {
    std::vector<float> x(static_cast<size_t>(features));
    for (int64_t i = begin; i < end; ++i) {
      row(inputs, i, x);
      classes[size_t(i)] = answer(x);
    }
  });
  return classes;
}

}  // namespace

training::LogisticRegression fit_logistic(const WellsModel& model, const std::vector<data::Well>& wells,
                                          std::span<const int64_t> training, const BaselineFit& how) {
  const int64_t channels = model.normalisation.channels(), curves = int64_t(model.normalisation.curves.size());
  const Table t =
      table_of(model, wells, training, how, channels * data::kWindowFeatures, kMaxValues,
               [&](std::span<const float> inputs, int64_t i, const std::vector<char>& hidden, std::span<float> out) {
                 data::window_features(inputs, channels, i, out);
                 for (int64_t c = 0; c < channels; ++c)  // its values and its mask
                   if (hidden[size_t(c % curves)])
                     std::ranges::fill(out.subspan(size_t(c) * data::kWindowFeatures, data::kWindowFeatures), 0.0f);
               });
  return training::fit_logistic_regression(t.x, t.y, model.class_count());
}

training::GradientBoosting fit_boosting(const WellsModel& model, const std::vector<data::Well>& wells,
                                        std::span<const int64_t> training, const BaselineFit& how,
                                        const training::BoostingOptions& options) {
  const int64_t curves = int64_t(model.normalisation.curves.size());
  const Table t =
      table_of(model, wells, training, how, curves * data::kWindowFeatures, kMaxValuesOfTrees,
               [&](std::span<const float> inputs, int64_t i, const std::vector<char>& hidden, std::span<float> out) {
                 data::window_features_or_missing(inputs, curves, model.normalisation.mask, i, out);
                 for (int64_t c = 0; c < curves; ++c)
                   if (hidden[size_t(c)])
                     std::ranges::fill(out.subspan(size_t(c) * data::kWindowFeatures, data::kWindowFeatures),
                                       std::numeric_limits<float>::quiet_NaN());
               });
  return training::fit_gradient_boosting(t.x, t.y, model.class_count(), options);
}

FoldTrees fit_folds(const WellsModel& model, const std::vector<data::Well>& wells, std::span<const int64_t> training,
                    const BaselineFit& how, const training::BoostingOptions& options) {
  FoldTrees out;
  const auto n = int64_t(training.size()), folds = std::min(n, kMaxFolds);
  out.of_well.resize(wells.size());
  if (folds < 2) {  // nothing to leave out
    out.folds.push_back(fit_boosting(model, wells, training, how, options));
    for (const int64_t w : training) out.of_well[size_t(w)] = out.folds.data();
    return out;
  }
  for (int64_t fold = 0; fold < folds; ++fold) {
    std::vector<int64_t> others;
    for (int64_t i = 0; i < n; ++i)
      if (i % folds != fold) others.push_back(training[size_t(i)]);
    out.folds.push_back(fit_boosting(model, wells, others, how, options));
  }
  for (int64_t i = 0; i < n; ++i) out.of_well[size_t(training[size_t(i)])] = &out.folds[size_t(i % folds)];
  return out;
}

std::vector<int> predict_logistic(const WellsModel& model, const data::Well& well) {
  const int64_t channels = model.normalisation.channels();
  return predict(
      model, well, channels * data::kWindowFeatures,
      [&](std::span<const float> inputs, int64_t i, std::span<float> x) {
        data::window_features(inputs, channels, i, x);
      },
      [&](std::span<const float> x) { return model.logistic->predict(x); });
}

std::vector<int> predict_boosting(const WellsModel& model, const data::Well& well) {
  const auto curves = int64_t(model.normalisation.curves.size());
  return predict(
      model, well, curves * data::kWindowFeatures,
      [&](std::span<const float> inputs, int64_t i, std::span<float> x) {
        data::window_features_or_missing(inputs, curves, model.normalisation.mask, i, x);
      },
      [&](std::span<const float> x) { return model.boosting->predict(x); });
}

std::vector<Baseline> evaluate_baselines(const WellsModel& model, const std::vector<data::Well>& wells,
                                         const Evaluation& evaluation, int commonest) {
  std::vector<Baseline> out{
      {"majority", "always the commonest class", training::majority_baseline(evaluation.matrix, commonest)}};
  const auto add = [&](const char* key, const char* name, auto&& predict) {
    Baseline& b = out.emplace_back(Baseline{key, name, training::ConfusionMatrix(model.classes)});
    for (const EvaluatedWell& j : evaluation.wells) {
      const data::Well& well = wells[size_t(j.well)];
      if (!well.labels.empty()) b.matrix.add(well.labels, predict(model, well));
    }
  };
  if (model.logistic) add("logistic", "logistic regression on windows", predict_logistic);
  if (model.boosting) add("boosting", "boosted trees on windows", predict_boosting);
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
