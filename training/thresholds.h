// From scores to verdicts: how well a score tells anomalies from the normal, and where to draw the line, by every rule
// in use side by side, with what each is worth on scores it has not seen. A score above the threshold is an anomaly.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kern::training {

// Scores of items whose truth is known. Either may be empty; none may be NaN (check_scores says which is).
struct Scores {
  std::vector<double> normal, anomalous;
};
void check_scores(const Scores& scores);

// The chance that an anomaly scores higher than a normal item, a tie counting half. NaN where one of them is missing.
double area_under_roc(const Scores& scores);
// The area under precision over recall, as scikit-learn's average_precision_score. NaN as above.
double area_under_precision_recall(const Scores& scores);

struct Rates {
  double true_positive = 0;  // share of the anomalies found; NaN without anomalies
  double true_negative = 0;  // share of the normal left in peace; NaN without normal items
};
Rates rates_at(const Scores& scores, double threshold);

struct CurvePoint {
  double threshold;
  Rates rates;
};
// At most `points` thresholds over all that make a difference, rising.
std::vector<CurvePoint> rate_curve(const Scores& scores, size_t points = 500);

struct Interval {
  double low = 0, high = 0;
  bool operator==(const Interval&) const = default;
};
// The thresholds at which both rates are at least `level`; nothing where no threshold does it.
std::optional<Interval> both_at_least(const Scores& scores, double level);

struct ThresholdOptions {
  double quantile = 0.95;       // share of the normal items to come that stay below, for rule `quantile`
  double independent = 0;       // how many independent items the normal scores are worth; 0: as many as there are
  double true_positive = 0.95;  // what rule `recall` must find
  double missed = 10;           // cost of an anomaly not found, in false alarms, for rule `cost`
  double level = 0.91;          // of both rates, for the interval shown
  int resamples = 1000;
  double confidence = 0.95;  // of the bootstrap intervals
  uint64_t seed = 0;
};

// How many independent items these scores are worth, where items of one group are alike: n / (1 + (m - 1) r), r the
// scores' correlation within groups (one-way analysis of variance), m the groups' size (its mean, weighted by size).
// At least the number of groups, at most n. group: of each item, any numbers; empty: each is one.
double independent_items(std::span<const double> scores, std::span<const int64_t> group);

// What a line is worth on normal items to come that are like those it was found on. A line at the score of rank k of n
// leaves a share above it that has the distribution Beta(n + 1 - k, k), whatever the scores' own (split conformal
// prediction, Vovk 2012; Angelopoulos & Bates 2023, https://arxiv.org/abs/2107.07511).
struct FalseAlarms {
  int64_t normal = 0;      // items the line was found on
  double independent = 0;  // what they are worth: see independent_items()
  double expected = 0;     // (n + 1 - k) / (n + 1)
  Interval range;          // the middle 90 % of the distribution
  bool operator==(const FalseAlarms&) const = default;
};
// The rank ceil((n + 1) share) of n scores, at most n. With m < n independent items: the rank of that share of n.
int64_t conformal_rank(int64_t n, double share, double independent = 0);
FalseAlarms false_alarms_at(int64_t rank, int64_t n, double independent = 0);
// "expected false alarms 4.8 % of good images, 90 % range 2.0 to 8.6 % (by 104 good images)".
std::string in_words(const FalseAlarms& alarms);
// The probability of `alarms` or more among n normal items to come, if they are like those the line was found on
// (beta-binomial).
double chance_of_alarms(const FalseAlarms& expected, int64_t alarms, int64_t n);
// I_x(a, b), the distribution function of Beta(a, b); a, b above 0.
double beta_distribution(double x, double a, double b);

// The rules, each with the threshold it names:
//   smallest   0.9 times the smallest score of an anomaly: the 0.9 quantile of all thresholds from 0 that miss none
//   quantile   the conformal quantile of the normal scores (conformal_rank()): on average no more than 1 - quantile of
//              the normal items to come lie above it; needs no anomalies
//   deviation  median of the normal scores plus 3 robust deviations (1.4826 times the median deviation); needs no
//              anomalies
//   f1         the best F1
//   youden     the largest sum of the two rates (Youden 1950)
//   recall     the largest threshold that still finds the given share of the anomalies
//   cost       the least cost, a missed anomaly weighing as much as `missed` false alarms
// Rules that optimise put the threshold half-way between the scores it separates.
struct ThresholdRule {
  std::string_view name, help;
  bool needs_anomalies;
  double (*find)(const Scores&, const ThresholdOptions&);
};
std::span<const ThresholdRule> threshold_rules();

struct RuleResult {
  std::string rule;
  double threshold = 0;
  Rates rates;  // on the scores it was found on
  // What the rule is worth on scores it has not seen: it is found on a resample, evaluated on what that left out, many
  // times over (out-of-bag bootstrap); the middle of the given confidence. Equal ends where there is too little to
  // evaluate.
  Interval true_positive, true_negative, thresholds;
  std::optional<FalseAlarms> false_alarms;  // of rule `quantile`
};
// Every rule that these scores allow. The same scores and seed give the same numbers.
std::vector<RuleResult> find_thresholds(const Scores& scores, const ThresholdOptions& options = {});
// One rule. Errors: no such rule (names them all), a rule that needs anomalies without any, no normal scores.
RuleResult find_threshold(std::string_view rule, const Scores& scores, const ThresholdOptions& options = {});

// Why a threshold found on `validation` cannot be defended, a sentence each; empty when nothing speaks against it.
// training: scores of normal items the model was trained on, if known. Looks at: too few of either kind for the rates'
// width, normals too few for the quantile (the line cannot promise it, or the range's end is beyond twice the share),
// anomalies that score no higher than the normal, a validation set whose normal items score otherwise than the
// training's (two-sample Kolmogorov-Smirnov, 1 %).
std::vector<std::string> threshold_warnings(const Scores& validation, std::span<const double> training,
                                            const ThresholdOptions& options = {});

}  // namespace kern::training
