#include "training/thresholds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/random.h"
#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

std::vector<double> sorted(std::span<const double> v) {
  std::vector<double> s(v.begin(), v.end());
  std::sort(s.begin(), s.end());
  return s;
}

int64_t above(const std::vector<double>& sorted_scores, double t) {
  return sorted_scores.end() - std::upper_bound(sorted_scores.begin(), sorted_scores.end(), t);
}

// Sorted scores of both kinds: every rule begins with them.
struct Ranked {
  std::vector<double> normal, anomalous;
  explicit Ranked(const Scores& s) : normal(sorted(s.normal)), anomalous(sorted(s.anomalous)) {}
  Rates at(double t) const {
    auto share = [](int64_t part, size_t of) { return of ? double(part) / double(of) : std::nan(""); };
    return {share(above(anomalous, t), anomalous.size()),
            share(int64_t(normal.size()) - above(normal, t), normal.size())};
  }
  // One threshold between any two neighbouring scores, and one below and above all: everything there is to choose.
  std::vector<double> cuts() const {
    std::vector<double> all;
    std::merge(normal.begin(), normal.end(), anomalous.begin(), anomalous.end(), std::back_inserter(all));
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::vector<double> cuts;
    if (all.empty()) return cuts;
    const double margin = all.size() > 1 ? (all.back() - all.front()) / 1000 : std::max(1e-9, std::abs(all[0]) / 1000);
    cuts.push_back(all.front() - margin);
    for (size_t i = 1; i < all.size(); ++i) {
      const double middle = all[i - 1] + (all[i] - all[i - 1]) / 2;
      cuts.push_back(middle < all[i] ? middle : all[i - 1]);  // neighbours in floating point have no middle
    }
    cuts.push_back(all.back() + margin);
    return cuts;
  }
};

// The cut of the largest gain(found anomalies, false alarms); of equal ones the middle one of the first run of them.
template <class Gain>
double best_cut(const Scores& s, const Gain& gain) {
  const Ranked r(s);
  const std::vector<double> cuts = r.cuts();
  size_t first = 0, last = 0;
  double best = -1e300;
  for (size_t i = 0; i < cuts.size(); ++i) {
    const double g = gain(double(above(r.anomalous, cuts[i])), double(above(r.normal, cuts[i])));
    if (g > best) best = g, first = last = i;
    else if (g == best && last + 1 == i) last = i;
  }
  return cuts[first + (last - first) / 2];
}

double smallest(const Scores& s, const ThresholdOptions&) {
  return 0.9 * *std::min_element(s.anomalous.begin(), s.anomalous.end());
}
double normal_quantile(const Scores& s, const ThresholdOptions& o) {
  const auto n = int64_t(s.normal.size());
  return sorted(s.normal)[size_t(conformal_rank(n, o.quantile, o.independent) - 1)];
}
double deviation(const Scores& s, const ThresholdOptions&) {
  const double median = quantile_of_sorted(sorted(s.normal), 0.5);
  std::vector<double> off;
  for (const double v : s.normal) off.push_back(std::abs(v - median));
  return median + 3 * kDeviationPerMad * quantile_of_sorted(sorted(off), 0.5);
}
double best_f1(const Scores& s, const ThresholdOptions&) {
  const auto anomalies = double(s.anomalous.size());
  return best_cut(s, [=](double found, double alarms) { return 2 * found / (found + alarms + anomalies); });
}
double youden(const Scores& s, const ThresholdOptions&) {
  const auto anomalies = double(s.anomalous.size()), normals = double(s.normal.size());
  return best_cut(s, [=](double found, double alarms) { return found / anomalies - alarms / normals; });
}
double recall(const Scores& s, const ThresholdOptions& o) {
  const Ranked r(s);
  const std::vector<double> cuts = r.cuts();
  for (size_t i = cuts.size(); i-- > 0;)
    if (r.at(cuts[i]).true_positive >= o.true_positive) return cuts[i];
  return cuts.front();
}
double cost(const Scores& s, const ThresholdOptions& o) {
  const auto anomalies = double(s.anomalous.size());
  return best_cut(s, [=](double found, double alarms) { return -(o.missed * (anomalies - found) + alarms); });
}

constexpr ThresholdRule kRules[] = {
    {"smallest", "0.9 times the smallest score of an anomaly", true, smallest},
    {"quantile", "the score that a share of the good images to come stays below (conformal)", false, normal_quantile},
    {"deviation", "median of the normal scores plus 3 robust deviations", false, deviation},
    {"f1", "the best F1", true, best_f1},
    {"youden", "the largest sum of both rates", true, youden},
    {"recall", "the largest threshold that finds the wanted share of the anomalies", true, recall},
    {"cost", "the least cost of misses and false alarms", true, cost},
};

void check_options(const ThresholdOptions& o) {
  check(o.quantile > 0 && o.quantile < 1 && o.true_positive > 0 && o.true_positive <= 1 && o.level > 0 &&
            o.level <= 1 && o.confidence > 0 && o.confidence < 1,
        "quantile, rates, level and confidence of thresholds lie between 0 and 1, got ", o.quantile, ", ",
        o.true_positive, ", ", o.level, " and ", o.confidence);
  check(o.independent >= 0, "scores cannot be worth fewer than 0 independent items, got ", o.independent);
  check(o.missed > 0 && o.resamples >= 0, "the cost of a miss must be above 0 and resamples not negative, got ",
        o.missed, " and ", o.resamples);
}

Interval middle_of(std::vector<double> v, double confidence, double otherwise) {
  if (v.size() < 20) return {otherwise, otherwise};
  v = sorted(v);
  return {quantile_of_sorted(v, (1 - confidence) / 2), quantile_of_sorted(v, (1 + confidence) / 2)};
}

// A resample with replacement, and what it left out.
void resample(std::span<const double> all, RandomSequence& random, std::vector<double>& in, std::vector<double>& out) {
  std::vector<char> drawn(all.size(), 0);
  in.clear(), out.clear();
  for (size_t i = 0; i < all.size(); ++i) {
    const uint32_t k = random.below(uint32_t(all.size()));
    drawn[k] = 1;
    in.push_back(all[k]);
  }
  for (size_t i = 0; i < all.size(); ++i)
    if (!drawn[i]) out.push_back(all[i]);
}

RuleResult result_of(const ThresholdRule& rule, const Scores& s, const ThresholdOptions& o) {
  RuleResult r{.rule = std::string(rule.name),
               .threshold = rule.find(s, o),
               .rates = {},
               .true_positive = {},
               .true_negative = {},
               .thresholds = {},
               .false_alarms = {}};
  r.rates = rates_at(s, r.threshold);
  if (rule.find == normal_quantile) {
    const auto n = int64_t(s.normal.size());
    r.false_alarms = false_alarms_at(conformal_rank(n, o.quantile, o.independent), n, o.independent);
  }
  std::vector<double> found, left, thresholds;
  Scores in, out;
  for (int i = 0; i < o.resamples; ++i) {
    RandomSequence random(o.seed, RandomStream::bootstrap, uint32_t(i));  // the same resamples for every rule
    resample(s.normal, random, in.normal, out.normal);
    resample(s.anomalous, random, in.anomalous, out.anomalous);
    const double t = rule.find(in, o);
    const Rates rates = rates_at(out, t);
    thresholds.push_back(t);
    if (!std::isnan(rates.true_positive)) found.push_back(rates.true_positive);
    if (!std::isnan(rates.true_negative)) left.push_back(rates.true_negative);
  }
  r.true_positive = middle_of(std::move(found), o.confidence, r.rates.true_positive);
  r.true_negative = middle_of(std::move(left), o.confidence, r.rates.true_negative);
  r.thresholds = middle_of(std::move(thresholds), o.confidence, r.threshold);
  return r;
}

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

// The continued fraction of the incomplete beta function (Press et al., Numerical Recipes, 6.4), by Lentz's method.
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  auto apart = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / apart(1 - (a + b) * x / (a + 1)), h = d;
  for (int i = 1; i < 10000; ++i) {
    const double m = i, even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                 odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / apart(1 + even * d), c = apart(1 + even / c), h *= d * c;
    d = 1 / apart(1 + odd * d), c = apart(1 + odd / c), h *= d * c;
    if (std::abs(d * c - 1) < 1e-14) break;
  }
  return h;
}

double beta_quantile(double p, double a, double b) {
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (beta_distribution(middle, a, b) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

// Whether so many items hold the promise, and so well that there are hardly ever twice as many false alarms.
bool narrow(int64_t n, double share) {
  return false_alarms_at(conformal_rank(n, share), n).range.high <= 2 * (1 - share);
}

// The largest distance between the two empirical distributions.
double distribution_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (const auto* v : {&a, &b})
    for (const double t : *v)
      most = std::max(most, std::abs(double(above(a, t)) / double(a.size()) - double(above(b, t)) / double(b.size())));
  return most;
}

}  // namespace

double independent_items(std::span<const double> scores, std::span<const int64_t> group) {
  const auto n = double(scores.size());
  if (group.empty()) return n;
  check(group.size() == scores.size(), scores.size(), " scores have ", group.size(), " groups");
  struct Sums {
    double n = 0, sum = 0, squares = 0;
  };
  std::map<int64_t, Sums> groups;
  double mean = 0;
  for (const double v : scores) mean += v / n;
  for (size_t i = 0; i < scores.size(); ++i) {
    Sums& g = groups[group[i]];
    const double v = scores[i] - mean;
    ++g.n, g.sum += v, g.squares += v * v;
  }
  const auto k = double(groups.size());
  if (k == n || k < 2) return k;
  double between = 0, within = 0, squares = 0;
  for (const auto& [number, g] : groups) {
    between += g.sum * g.sum / g.n / (k - 1);
    within += (g.squares - g.sum * g.sum / g.n) / (n - k);
    squares += g.n * g.n;
  }
  const double size = (n - squares / n) / (k - 1), spread = between + (size - 1) * within,
               alike = spread > 0 ? std::clamp((between - within) / spread, 0.0, 1.0) : 1.0;
  return std::clamp(n / (1 + (squares / n - 1) * alike), k, n);
}

int64_t conformal_rank(int64_t n, double share, double independent) {
  check(n >= 1, "a conformal quantile needs scores, and there are none");
  const double m = independent > 0 ? std::min(independent, double(n)) : double(n);
  const double rank = m == double(n) ? (m + 1) * share : std::ceil((m + 1) * share - 1e-9) * double(n) / m;
  return std::clamp(int64_t(std::ceil(rank - 1e-9)), int64_t(1), n);
}

FalseAlarms false_alarms_at(int64_t rank, int64_t n, double independent) {
  check(rank >= 1 && rank <= n, "rank ", rank, " of ", n, " scores");
  const double m = independent > 0 ? std::min(independent, double(n)) : double(n),
               expected = 1 - double(rank) / double(n) * m / (m + 1), a = (m + 1) * expected, b = m + 1 - a;
  return {n, m, expected, {beta_quantile(0.05, a, b), beta_quantile(0.95, a, b)}};
}

std::string in_words(const FalseAlarms& f) {
  const std::string worth = f.independent < double(f.normal) - 0.5
                                ? fmt::format(", which are worth {:.0f} independent ones", f.independent)
                                : "";
  return fmt::format(
      "expected false alarms {:.1f} % of good images, 90 % range {:.1f} to {:.1f} % (by {} good images{})",
      100 * f.expected, 100 * f.range.low, 100 * f.range.high, f.normal, worth);
}

double chance_of_alarms(const FalseAlarms& f, int64_t alarms, int64_t n) {
  check(alarms >= 0 && alarms <= n, alarms, " alarms among ", n, " items");
  const double a = (f.independent + 1) * f.expected, b = f.independent + 1 - a;
  double sum = 0;
  for (int64_t k = alarms; k <= n; ++k)
    sum += std::exp(log_beta(double(k) + a, double(n - k) + b) - log_beta(a, b) - std::log(double(n + 1)) -
                    log_beta(double(k + 1), double(n - k + 1)));
  return std::min(1.0, sum);
}

double beta_distribution(double x, double a, double b) {
  check(a > 0 && b > 0, "the beta distribution needs parameters above 0, got ", a, " and ", b);
  if (x <= 0 || x >= 1) return x <= 0 ? 0.0 : 1.0;
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta(a, b));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(x, a, b) / a : 1 - front * beta_fraction(1 - x, b, a) / b;
}

void check_scores(const Scores& s) {
  for (const auto* kind : {&s.normal, &s.anomalous})
    for (size_t i = 0; i < kind->size(); ++i)
      check(std::isfinite((*kind)[i]), "score ", i, " of the ", kind == &s.normal ? "normal" : "anomalous",
            " items is ", (*kind)[i], ": no threshold can be found among such scores");
}

double area_under_roc(const Scores& s) {
  if (s.normal.empty() || s.anomalous.empty()) return std::nan("");
  const std::vector<double> normal = sorted(s.normal);
  double wins = 0;
  for (const double v : s.anomalous) {
    const auto [low, high] = std::equal_range(normal.begin(), normal.end(), v);
    wins += double(low - normal.begin()) + 0.5 * double(high - low);
  }
  return wins / (double(s.normal.size()) * double(s.anomalous.size()));
}

double area_under_precision_recall(const Scores& s) {
  if (s.normal.empty() || s.anomalous.empty()) return std::nan("");
  const Ranked r(s);
  double area = 0;
  for (auto it = r.anomalous.rbegin(); it != r.anomalous.rend();) {
    const double score = *it;
    const auto equal = std::find_if(it, r.anomalous.rend(), [=](double v) { return v != score; });
    const auto found = double(equal - r.anomalous.rbegin());
    const auto alarms = double(r.normal.end() - std::lower_bound(r.normal.begin(), r.normal.end(), score));
    area += double(equal - it) * found / (found + alarms);
    it = equal;
  }
  return area / double(r.anomalous.size());
}

Rates rates_at(const Scores& s, double t) {
  auto share_above = [t](const std::vector<double>& v) {
    return double(std::count_if(v.begin(), v.end(), [t](double x) { return x > t; })) / double(v.size());
  };
  return {s.anomalous.empty() ? std::nan("") : share_above(s.anomalous),
          s.normal.empty() ? std::nan("") : 1 - share_above(s.normal)};
}

std::vector<CurvePoint> rate_curve(const Scores& s, size_t points) {
  check(points >= 2, "a curve needs at least 2 points, got ", points);
  const Ranked r(s);
  const std::vector<double> cuts = r.cuts();
  std::vector<CurvePoint> curve;
  const size_t n = std::min(points, cuts.size());
  for (size_t i = 0; i < n; ++i) {
    const double t = cuts[n == 1 ? 0 : i * (cuts.size() - 1) / (n - 1)];
    curve.push_back({t, r.at(t)});
  }
  return curve;
}

std::optional<Interval> both_at_least(const Scores& s, double level) {
  const Ranked r(s);
  if (r.normal.empty() || r.anomalous.empty()) return {};
  // The normal rate rises with the threshold, the anomalies' falls: the first that leaves enough normal items in peace,
  // up to the first that finds too few anomalies.
  const auto needed = int64_t(std::ceil(level * double(r.normal.size()) - 1e-9));
  const auto found = int64_t(std::ceil(level * double(r.anomalous.size()) - 1e-9));
  const double low = needed > 0 ? r.normal[size_t(needed - 1)] : r.normal.front();
  const double high = r.anomalous[r.anomalous.size() - size_t(std::max<int64_t>(1, found))];
  if (!(low < high)) return {};
  return Interval{low, high};
}

std::span<const ThresholdRule> threshold_rules() { return kRules; }

std::vector<RuleResult> find_thresholds(const Scores& s, const ThresholdOptions& o) {
  check_options(o);
  check_scores(s);
  check(!s.normal.empty(), "a threshold needs scores of normal items, and there are none");
  std::vector<RuleResult> all;
  for (const ThresholdRule& rule : kRules)
    if (!rule.needs_anomalies || !s.anomalous.empty()) all.push_back(result_of(rule, s, o));
  return all;
}

RuleResult find_threshold(std::string_view name, const Scores& s, const ThresholdOptions& o) {
  check_options(o);
  check_scores(s);
  check(!s.normal.empty(), "a threshold needs scores of normal items, and there are none");
  std::string known;
  for (const ThresholdRule& rule : kRules) {
    if (rule.name == name) {
      check(!rule.needs_anomalies || !s.anomalous.empty(), "the rule ", name,
            " needs scores of anomalies, and there are none: use threshold=quantile or threshold=deviation");
      return result_of(rule, s, o);
    }
    known += (known.empty() ? "" : ", ") + std::string(rule.name);
  }
  throw Error("there is no threshold rule '" + std::string(name) + "'; the rules are " + known);
}

std::vector<std::string> threshold_warnings(const Scores& v, std::span<const double> training,
                                            const ThresholdOptions& o) {
  check_options(o);
  check_scores(v);
  std::vector<std::string> warnings;
  const double share = 1 - o.quantile;
  if (v.normal.empty()) {
    warnings.push_back("there are no normal items to validate on: no false-alarm rate can be stated");
  } else {
    const auto n = int64_t(v.normal.size());
    const FalseAlarms f = false_alarms_at(conformal_rank(n, o.quantile, o.independent), n, o.independent);
    const auto least = int64_t(std::ceil(o.quantile / share - 1e-9));  // that can promise it at all
    const bool impossible = f.independent < double(least) - 1e-9;
    int64_t needed = std::max(least, n + 1);
    while (!narrow(needed, o.quantile)) needed += 1 + needed / 100;
    if (impossible || f.range.high > 2 * share)
      warnings.push_back(fmt::format(
          "{} normal items{} are too few {}: {} would be needed for no more than {:.3g} % in 19 of 20 trainings; {}", n,
          f.independent < double(n) - 0.5 ? fmt::format(", worth {:.0f} independent ones,", f.independent) : "",
          impossible ? fmt::format("to promise {:.3g} % false alarms, and the largest score is the line", 100 * share)
                     : fmt::format("to hold {:.3g} % false alarms well", 100 * share),
          needed, 200 * share, in_words(f)));
  }
  if (v.anomalous.empty())
    warnings.push_back("there are no anomalies to validate on: what share of them is found is unknown");
  else if (v.anomalous.size() < 20)
    warnings.push_back(fmt::format(
        "with {} anomalies a rate of 1 means no more than at least {:.2f} (95 % confidence): find more of them",
        v.anomalous.size(), std::pow(0.05, 1.0 / double(v.anomalous.size()))));
  if (const double area = area_under_roc(v); area < 0.6)
    warnings.push_back(
        fmt::format("the anomalies score hardly higher than the normal items (AUROC {:.2f}): no threshold tells "
                    "them apart",
                    area));
  if (training.size() >= 20 && v.normal.size() >= 20) {
    const std::vector<double> a = sorted(training), b = sorted(v.normal);
    const double distance = distribution_distance(a, b),
                 limit =
                     1.628 * std::sqrt((double(a.size()) + double(b.size())) / (double(a.size()) * double(b.size())));
    if (distance > limit)
      warnings.push_back(
          fmt::format("normal items of the validation score otherwise than those of the training (median {:.4g} "
                      "against {:.4g}): the "
                      "data have shifted, or the model knows its training items by heart; validate on normal items "
                      "like those to come",
                      quantile_of_sorted(b, 0.5), quantile_of_sorted(a, 0.5)));
  }
  return warnings;
}

}  // namespace kern::training
