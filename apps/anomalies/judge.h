// Scores of pictures whose truth is known, and the figures over them.
#pragma once
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "apps/anomalies/anomalies_model.h"
#include "apps/anomalies/source.h"
#include "apps/command.h"
#include "data/prepared_pictures.h"

namespace kern::apps {

struct JudgedAnomaly {
  int64_t picture;  // of the source
  data::Truth truth;
  double score, peak;  // the map's largest value
  std::vector<double> passes;
};
struct AnomaliesJudgement {
  std::vector<JudgedAnomaly> pictures;
  // Where masks are, else NaN. Over the anomalies that have one and no more than kMaxNormalMaps good pictures.
  double pixel_auroc = std::numeric_limits<double>::quiet_NaN(),
         region_overlap = std::numeric_limits<double>::quiet_NaN();
  int64_t regions = 0;
  double seconds = 0;

  training::Scores scores() const;
  training::Scores scores_of_pass(size_t pass) const;
  size_t passes() const { return pictures.empty() ? 0 : pictures.front().passes.size(); }
};
inline constexpr int64_t kMaxNormalMaps = 300;

struct Judging {
  bool maps = true;                                  // pixel figures too
  bool drawn = true;                                 // see score_pictures()
  const data::PreparedPictures* prepared = nullptr;  // the source's, by the model's chain, where they are at hand
  bool quiet = true;
  std::string title = "score";
};
AnomaliesJudgement judge(const AnomaliesModel& model, const AnomaliesSource& source, std::span<const int64_t> which,
                         const Judging& how = {});

// AUROC, AUPR, best F1, rates at the model's threshold, rates by every rule, pixel figures; with several passes the
// mean and the standard deviation of AUROC and rates over them. Names begin with `prefix`.
void add_figures(Figures& figures, const AnomaliesModel& model, const AnomaliesJudgement& judgement,
                 const std::string& prefix = {});
double best_f1(const training::Scores& scores);  // over all thresholds; NaN without anomalies

// "picture,part,kind,truth,score": a line a picture.
std::string scores_csv(const AnomaliesSource& source,
                       const std::vector<std::pair<std::string, AnomaliesJudgement>>& parts);

}  // namespace kern::apps
