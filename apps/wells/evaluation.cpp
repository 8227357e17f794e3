#include "apps/wells/evaluation.h"

#include <algorithm>
#include <cmath>

namespace kern::apps {

Evaluation evaluate(const WellsModel& model, const std::vector<data::Well>& wells, std::span<const int64_t> which,
                    const EvaluationOptions& options) {
  Evaluation result{training::ConfusionMatrix(model.classes), 0, {}, {}};
  double loss = 0;
  int64_t counted = 0;
  for (int64_t index : which) {
    const data::Well& well = wells[size_t(index)];
    training::Segmentation s = predict_well(model, well);
    training::ConfusionMatrix own(model.classes);
    for (int64_t i = 0; i < well.length() && !well.labels.empty(); ++i) {
      const int truth = well.labels[size_t(i)];
      if (truth == data::kUnlabelled) continue;
      loss -= std::log(std::max(1e-30, double(s.probabilities[size_t(i * s.classes + truth)])));
      ++counted;
    }
    data::postprocess(options.postprocess, s.probabilities, s.classes, s.labels);
    for (int64_t i = 0; i < well.length() && !well.labels.empty(); ++i) {
      const int truth = well.labels[size_t(i)];
      if (truth == data::kUnlabelled) continue;
      own.add(truth, s.labels[size_t(i)]);
    }
    EvaluatedWell evaluated{index, {}, {}, own.accuracy()};
    result.tallies.emplace_back(own);
    result.matrix.merge(own);
    if (options.keep_predictions) {
      evaluated.prediction = std::move(s.labels);
      evaluated.probabilities = std::move(s.probabilities);
    }
    result.wells.push_back(std::move(evaluated));
  }
  result.loss = counted > 0 ? loss / double(counted) : 0;
  return result;
}

}  // namespace kern::apps
