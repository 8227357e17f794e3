// What a threshold does to scores: the rates against it, the scores' histograms on the same axis, a slider that moves a
// line through both and the confusion matrix beside them. Without script it shows the chosen threshold.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "training/report/report.h"
#include "training/thresholds.h"

namespace kern::training {

struct ThresholdView {
  Scores scores;
  double threshold = 0;                               // the chosen one
  double level = 0.91;                                // the thresholds at which both rates reach it are shaded
  std::vector<std::pair<std::string, double>> rules;  // a button each
};

// Into the document, and the figure as figures/<name>.svg. The page's address may end in #threshold=12.5: it begins
// there. One of them in a document.
void add_threshold_explorer(Report& report, const std::string& name, const ThresholdView& view);

// True-positive over false-positive rate, and precision over recall.
Svg roc_chart(const Scores& scores);
Svg precision_recall_chart(const Scores& scores);

}  // namespace kern::training
