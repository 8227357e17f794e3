// Scores of images whose truth is known, and the figures over them.
#pragma once
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "apps/anomalies/anomalies_model.h"
#include "apps/anomalies/source.h"
#include "apps/command.h"
#include "data/prepared_images.h"

namespace kern::apps {

struct EvaluatedAnomaly {
  int64_t image;  // of the source
  data::Truth truth;
  double score, peak, whole;  // peak: the map's largest value; whole: see ScoredImage
  std::vector<double> passes;
};
struct AnomaliesEvaluation {
  std::vector<EvaluatedAnomaly> images;
  // Where masks are, else NaN. Over the anomalies that have one and no more than kMaxNormalMaps good images.
  double pixel_auroc = std::numeric_limits<double>::quiet_NaN(),
         region_overlap = std::numeric_limits<double>::quiet_NaN();
  int64_t regions = 0;
  double seconds = 0;
  bool whole = true;  // false: left before the end

  training::Scores scores() const;
  training::Scores scores_of_pass(size_t pass) const;
  size_t passes() const { return images.empty() ? 0 : images.front().passes.size(); }
};
inline constexpr int64_t kMaxNormalMaps = 300;

struct Evaluating {
  bool maps = true;                                // pixel figures too
  bool drawn = true;                               // see score_images()
  const data::PreparedImages* prepared = nullptr;  // the source's, by the model's chain, where they are at hand
  int64_t together = 0;                            // images of a batch; 0: as many as the model likes
  bool quiet = true;
  std::string title = "score";
  std::function<bool()> leave = {};  // asked after every batch; empty: it goes to the end
};
// Ranks share the images, and all get the same bits (training/shared_scores.h).
AnomaliesEvaluation evaluate(const AnomaliesModel& model, const AnomaliesSource& source, std::span<const int64_t> which,
                             const Evaluating& how = {});

// AUROC, AUPR, best F1, rates at the model's threshold, rates by every rule, pixel figures; with several passes the
// mean and the standard deviation of AUROC and rates over them. Names begin with `prefix`.
void add_figures(Figures& figures, const AnomaliesModel& model, const AnomaliesEvaluation& evaluation,
                 const std::string& prefix = {});
// What the chosen rule promised of good images beside what these showed, and whether the two go together; empty where
// the rule promises nothing or there are no good images.
struct AlarmsSeen {
  std::string sentence, warning;  // warning: empty where chance may have done it
};
AlarmsSeen alarms_seen(const AnomaliesModel& model, const training::Scores& scores);
double best_f1(const training::Scores& scores);  // over all thresholds; NaN without anomalies

// "image,part,kind,truth,score": a line an image.
std::string scores_csv(const AnomaliesSource& source,
                       const std::vector<std::pair<std::string, AnomaliesEvaluation>>& parts);

}  // namespace kern::apps
