#include "apps/wells/evaluation.h"

#include <algorithm>
#include <cmath>

#include "training/shared_scores.h"

namespace kern::apps {

namespace {

// What one well is worth.
training::Parcel score_well(const WellsModel& model, const data::Well& well, const EvaluationOptions& options) {
  training::Segmentation s = predict_well(model, well);
  training::ConfusionMatrix matrix(model.classes);
  double loss = 0;
  const auto each_label = [&](const auto& use) {
    for (int64_t i = 0; i < well.length() && !well.labels.empty(); ++i)
      if (const int truth = well.labels[size_t(i)]; truth != data::kUnlabelled) use(i, truth);
  };
  each_label([&](int64_t i, int truth) {
    loss -= std::log(std::max(1e-30, double(s.probabilities[size_t(i * s.classes + truth)])));
  });
  data::postprocess(options.postprocess, s.probabilities, s.classes, s.labels);
  each_label([&](int64_t i, int truth) { matrix.add(truth, s.labels[size_t(i)]); });
  training::Parcel p = training::Parcel::of(loss, matrix);
  if (options.keep_predictions) p.put(s.labels).put(s.probabilities);
  return p;
}

}  // namespace

Evaluation evaluate(const WellsModel& model, const std::vector<data::Well>& wells, std::span<const int64_t> which,
                    const EvaluationOptions& options) {
  Evaluation result{training::ConfusionMatrix(model.classes), 0, {}, {}};
  double loss = 0;
  training::score_together(
      int64_t(which.size()), [&](int64_t i) { return score_well(model, wells[size_t(which[size_t(i)])], options); },
      [&](int64_t i, training::Parcel found) {
        loss += found.one<double>();
        const training::ConfusionMatrix own = found.matrix(model.classes);
        EvaluatedWell evaluated{which[size_t(i)], {}, {}, own.accuracy()};
        result.tallies.emplace_back(own);
        result.matrix.merge(own);
        if (options.keep_predictions) {
          evaluated.prediction = found.many<int>();
          evaluated.probabilities = found.many<float>();
        }
        result.wells.push_back(std::move(evaluated));
      });
  const int64_t counted = result.matrix.total();
  result.loss = counted > 0 ? loss / double(counted) : 0;
  return result;
}

}  // namespace kern::apps
