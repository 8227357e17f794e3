#include "apps/anomalies/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "training/comparison.h"
#include "training/intervals.h"
#include "training/localisation.h"
#include "training/metrics.h"
#include "training/progress.h"

namespace kern::apps {
namespace {
using namespace training;

void add_to(Scores& scores, data::Truth truth, double score) {
  if (truth == data::Truth::normal) scores.normal.push_back(score);
  if (truth == data::Truth::anomalous) scores.anomalous.push_back(score);
}

}  // namespace

Scores AnomaliesEvaluation::scores() const {
  Scores s;
  for (const EvaluatedAnomaly& p : images) add_to(s, p.truth, p.score);
  return s;
}

Scores AnomaliesEvaluation::scores_of_pass(size_t pass) const {
  Scores s;
  for (const EvaluatedAnomaly& p : images) add_to(s, p.truth, p.passes[pass]);
  return s;
}

AnomaliesEvaluation evaluate(const AnomaliesModel& model, const AnomaliesSource& source, std::span<const int64_t> which,
                             const Evaluating& how) {
  AnomaliesEvaluation out;
  ProgressBar progress(
      {.title = how.title, .unit = "images", .mode = how.quiet ? ProgressMode::quiet : ProgressMode::automatic});
  progress.begin(int64_t(which.size()));
  bool masks = false;
  for (const int64_t i : which) masks = masks || !source.set.images[size_t(i)].mask.empty();
  Localisation pixels;
  int64_t normal_maps = 0;
  const double begun = steady_seconds();
  const auto together = size_t(how.together > 0 ? how.together : scored_together(model));
  const auto score = [&](std::span<const int64_t> batch, int64_t first) {
    if (how.prepared)
      return score_prepared(
          model, int64_t(batch.size()),
          [&](int64_t i, double blur) { return *how.prepared->get(batch[size_t(i)], blur); }, how.drawn, first);
    std::vector<data::Image> images;
    for (const int64_t i : batch) images.push_back(source.store->get(i)->image);
    return score_images(model, images, how.drawn, first);
  };
  for (size_t begin = 0; begin < which.size(); begin += together) {
    const auto batch = which.subspan(begin, std::min(together, which.size() - begin));
    std::vector<ScoredImage> scored = score(batch, int64_t(begin));
    for (size_t k = 0; k < batch.size(); ++k) {
      const data::AnomalyImage& p = source.set.images[size_t(batch[k])];
      check(std::isfinite(scored[k].score), "the score of ", p.id, " is ", scored[k].score,
            ": the model is damaged, train it again");
      const bool normal = p.truth == data::Truth::normal;
      if (how.maps && masks && (normal ? normal_maps++ < kMaxNormalMaps : !p.mask.empty())) {
        const data::Image mask =
            normal ? data::Image{} : data::prepare_mask(source.store->get(batch[k])->labels, model.chain);
        pixels.add(scored[k].map, mask.pixels, model.size().H, model.size().W);
      }
      const double peak = double(*std::max_element(scored[k].map.begin(), scored[k].map.end()));
      out.images.push_back({batch[k], p.truth, scored[k].score, peak, std::move(scored[k].passes)});
    }
    progress.advance(int64_t(batch.size()));
  }
  out.seconds = steady_seconds() - begun;
  if (how.maps && masks) {
    out.pixel_auroc = pixels.pixel_auroc();
    out.region_overlap = pixels.region_overlap();
    out.regions = pixels.regions();
  }
  return out;
}

AlarmsSeen alarms_seen(const AnomaliesModel& model, const Scores& s) {
  const std::optional<FalseAlarms> expected = model.false_alarms();
  if (!expected || !model.threshold || s.normal.empty()) return {};
  const double line = *model.threshold;
  const auto n = int64_t(s.normal.size()),
             alarms = int64_t(std::count_if(s.normal.begin(), s.normal.end(), [=](double v) { return v > line; }));
  AlarmsSeen seen{fmt::format("false alarms: {} of {} good images, {:.1f} %; {}", alarms, n,
                              100 * double(alarms) / double(n), in_words(*expected)),
                  {}};
  if (const double chance = chance_of_alarms(*expected, alarms, n); chance < 0.01)
    seen.warning = fmt::format(
        "{} false alarms among {} good images are more than {} good images foresaw (probability {:.2g}): these images "
        "are "
        "not like those that found the threshold. If they are what comes, train with some of them; if several images "
        "show one thing, say so with group=",
        alarms, n, expected->normal, chance);
  return seen;
}

double best_f1(const Scores& s) {
  if (s.anomalous.empty() || s.normal.empty()) return std::nan("");
  const double threshold = find_threshold("f1", s, {.resamples = 0}).threshold;
  const Rates r = rates_at(s, threshold);
  const double found = r.true_positive * double(s.anomalous.size()),
               alarms = (1 - r.true_negative) * double(s.normal.size());
  return 2 * found / (found + alarms + double(s.anomalous.size()));
}

void add_figures(Figures& figures, const AnomaliesModel& model, const AnomaliesEvaluation& j,
                 const std::string& prefix) {
  const Scores s = j.scores();
  auto add = [&](const char* name, const auto& value) { figures.add(prefix + name, value); };
  add("normal", int64_t(s.normal.size()));
  add("anomalous", int64_t(s.anomalous.size()));
  add("auroc", area_under_roc(s));
  add("aupr", area_under_precision_recall(s));
  add("best_f1", best_f1(s));
  if (model.threshold) {
    const Rates r = rates_at(s, *model.threshold);
    add("tpr", r.true_positive);
    add("tnr", r.true_negative);
    const auto share = [](double rate, size_t n) {
      return n > 0 ? ends_of(share_interval(std::lround(rate * double(n)), int64_t(n))) : std::vector<double>();
    };
    add("tpr_interval", share(r.true_positive, s.anomalous.size()));
    add("tnr_interval", share(r.true_negative, s.normal.size()));
    add("auroc_interval", ends_of(auroc_interval(s)));
  }
  if (const auto expected = model.false_alarms()) {
    add("false_alarms_expected", expected->expected);
    add("false_alarms_range", std::vector<double>{expected->range.low, expected->range.high});
  }
  std::vector<double> tpr, tnr;
  for (const RuleResult& r : model.rules) {
    const Rates rates = rates_at(s, r.threshold);
    tpr.push_back(rates.true_positive), tnr.push_back(rates.true_negative);
  }
  add("rules_tpr", tpr);
  add("rules_tnr", tnr);
  add("pixel_auroc", j.pixel_auroc);
  add("pro", j.region_overlap);
  if (j.passes() > 1) {
    std::vector<double> auroc, found, left;
    for (size_t pass = 0; pass < j.passes(); ++pass) {
      const Scores own = j.scores_of_pass(pass);
      const Rates r = rates_at(own, model.threshold.value_or(0));
      auroc.push_back(area_under_roc(own)), found.push_back(r.true_positive), left.push_back(r.true_negative);
    }
    auto spread = [&](const char* name, const std::vector<double>& values) {
      const training::Spread of = spread_of(values);
      add(name, std::vector<double>{of.mean, of.deviation});
    };
    spread("auroc_over_passes", auroc);
    spread("tpr_over_passes", found);
    spread("tnr_over_passes", left);
  }
  add("images_per_second", j.seconds > 0 ? double(j.images.size()) / j.seconds : 0.0);
}

std::string scores_csv(const AnomaliesSource& source,
                       const std::vector<std::pair<std::string, AnomaliesEvaluation>>& parts) {
  std::string out = "image,part,kind,truth,score\n";
  for (const auto& [part, evaluation] : parts)
    for (const EvaluatedAnomaly& j : evaluation.images) {
      const data::AnomalyImage& p = source.set.images[size_t(j.image)];
      out +=
          fmt::format("{},{},{},{},{}\n", csv_field(p.id), part, csv_field(p.kind), data::to_string(p.truth), j.score);
    }
  return out;
}

}  // namespace kern::apps
