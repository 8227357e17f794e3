// Predictions of a model on labelled wells, and the figures over them.
#pragma once
#include <span>
#include <vector>

#include "apps/wells/wells_model.h"
#include "data/postprocess.h"
#include "data/well.h"
#include "training/intervals.h"
#include "training/metrics.h"

namespace kern::apps {

struct EvaluatedWell {
  int64_t well;  // index into the wells
  std::vector<int> prediction;
  std::vector<float> probabilities;  // [L, K]; empty unless kept
  double accuracy = 0;               // over its labelled samples
};
struct Evaluation {
  training::ConfusionMatrix matrix;
  double loss = 0;  // mean cross entropy of the labelled samples, unweighted
  std::vector<EvaluatedWell> wells;
  std::vector<training::ClassTally> tallies;  // of the wells, for intervals_of()
};

struct EvaluationOptions {
  data::Postprocess postprocess;
  bool keep_predictions = false;
};
// Every sample once, whole wells, in the order given. Ranks share the wells, and all get the same bits (training/shared_scores.h).
Evaluation evaluate(const WellsModel& model, const std::vector<data::Well>& wells, std::span<const int64_t> which,
                    const EvaluationOptions& options = {});

}  // namespace kern::apps
