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
#include "training/shared_scores.h"

namespace kern::apps {
namespace {
using namespace training;

void add_to(Scores& scores, data::Truth truth, double score) {
  if (truth == data::Truth::normal) scores.normal.push_back(score);
  if (truth == data::Truth::anomalous) scores.anomalous.push_back(score);
}

// Whose maps count in pixel figures: anomalies that have a mask, and the first good images.
std::vector<bool> with_maps(const AnomaliesSource& source, std::span<const int64_t> which, bool wanted) {
  std::vector<bool> mapped(which.size(), false);
  const auto masked = [&](int64_t i) { return !source.set.images[size_t(i)].mask.empty(); };
  if (!wanted || std::ranges::none_of(which, masked)) return mapped;
  int64_t normal = 0;
  for (size_t k = 0; k < which.size(); ++k)
    mapped[k] =
        source.set.images[size_t(which[k])].truth == data::Truth::normal ? normal++ < kMaxNormalMaps : masked(which[k]);
  return mapped;
}

// As large as the map; empty for a good image.
std::vector<uint8_t> mask_of(const AnomaliesModel& model, const AnomaliesSource& source, int64_t image) {
  if (source.set.images[size_t(image)].truth == data::Truth::normal) return {};
  return data::prepare_mask(source.store->get(image)->labels, model.chain).pixels;
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
  const std::vector<bool> mapped = with_maps(source, which, how.maps);
  Localisation pixels;
  const double begun = steady_seconds();
  const auto together = int64_t(how.together > 0 ? how.together : scored_together(model)), n = int64_t(which.size());
  const auto scored = [&](std::span<const int64_t> batch, int64_t first) {
    if (how.prepared)
      return score_prepared(
          model, int64_t(batch.size()),
          [&](int64_t i, double blur) { return *how.prepared->get(batch[size_t(i)], blur); }, how.drawn, first);
    std::vector<data::Image> images;
    for (const int64_t i : batch) images.push_back(source.store->get(i)->image);
    return score_images(model, images, how.drawn, first);
  };
  const auto batch_of = [&](int64_t b) {
    return which.subspan(size_t(b * together), size_t(std::min(together, n - b * together)));
  };
  const auto score = [&](int64_t b) {
    const std::span<const int64_t> batch = batch_of(b);
    Parcel found;
    size_t k = 0;
    for (const ScoredImage& s : scored(batch, b * together)) {
      const data::AnomalyImage& p = source.set.images[size_t(batch[k])];
      check(std::isfinite(s.score), "the score of ", p.id, " is ", s.score, ": the model is damaged, train it again");
      found.put(s.score).put(double(*std::max_element(s.map.begin(), s.map.end()))).put(s.whole).put(s.passes);
      if (mapped[size_t(b * together) + k]) found.put(s.map).put(mask_of(model, source, batch[k]));
      ++k;
    }
    return found;
  };
  const auto take = [&](int64_t b, Parcel found) {
    const std::span<const int64_t> batch = batch_of(b);
    for (size_t k = 0; k < batch.size(); ++k) {
      EvaluatedAnomaly& p =
          out.images.emplace_back(EvaluatedAnomaly{batch[k], source.set.images[size_t(batch[k])].truth, 0, 0, 0, {}});
      p.score = found.one<double>();
      p.peak = found.one<double>();
      p.whole = found.one<double>();
      p.passes = found.many<double>();
      if (!mapped[size_t(b * together) + k]) continue;
      const std::vector<float> map = found.many<float>();
      pixels.add(map, found.many<uint8_t>(), model.size().H, model.size().W);
    }
    progress.advance(int64_t(batch.size()));
  };
  out.whole = score_together((n + together - 1) / together, score, take, how.leave);
  out.seconds = steady_seconds() - begun;
  if (std::ranges::find(mapped, true) != mapped.end()) {
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
