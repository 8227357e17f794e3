#include "training/intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/random.h"
#include "engine/statistics.h"

namespace kern::training {
namespace {

constexpr int kResamples = 1000;
constexpr double kNormal = 1.959963984540054;  // the 97.5 % quantile of the normal distribution

std::optional<Interval> middle_of(std::vector<double> values) {
  if (values.size() < kResamples / 2) return {};
  return Interval{quantile_nearest(values, 0.025), quantile_nearest(values, 0.975)};
}

void draw(RandomSequence& random, std::span<int64_t> which) {
  for (int64_t& i : which) i = int64_t(random.below(uint32_t(which.size())));
}

double ratio(int64_t a, int64_t b) { return b > 0 ? double(a) / double(b) : std::nan(""); }

}  // namespace

std::optional<Interval> bootstrap(int64_t items, const std::function<double(std::span<const int64_t>)>& figure) {
  if (items < 2) return {};
  std::vector<int64_t> which(size_t(items), 0);
  std::vector<double> values;
  for (uint32_t i = 0; i < kResamples; ++i) {
    RandomSequence random(1, RandomStream::bootstrap, i);
    draw(random, which);
    if (const double v = figure(which); std::isfinite(v)) values.push_back(v);
  }
  return middle_of(std::move(values));
}

ClassTally::ClassTally(const ConfusionMatrix& m) {
  for (int64_t c = 0; c < m.class_count(); ++c) {
    truth.push_back(m.support(c));
    predicted.push_back(m.predicted(c));
    both.push_back(m.count(c, c));
  }
}

MatrixIntervals intervals_of(std::span<const ClassTally> items) {
  MatrixIntervals out;
  if (items.empty()) return out;
  const size_t K = items[0].truth.size();
  out.iou.resize(K);
  if (items.size() < 2) return out;
  std::vector<double> accuracy, f1, iou;
  std::vector<std::vector<double>> of_class(K);
  std::vector<int64_t> which(items.size());
  for (uint32_t i = 0; i < kResamples; ++i) {
    RandomSequence random(1, RandomStream::bootstrap, i);
    draw(random, which);
    int64_t all = 0, right = 0, present = 0;
    double sum_f1 = 0, sum_iou = 0;
    for (size_t c = 0; c < K; ++c) {
      int64_t truth = 0, predicted = 0, both = 0;
      for (const int64_t w : which) {
        const ClassTally& t = items[size_t(w)];
        truth += t.truth[c], predicted += t.predicted[c], both += t.both[c];
      }
      all += truth, right += both;
      if (truth + predicted == 0) continue;
      ++present;
      sum_f1 += ratio(2 * both, truth + predicted);
      sum_iou += ratio(both, truth + predicted - both);
      of_class[c].push_back(ratio(both, truth + predicted - both));
    }
    if (all == 0) continue;
    accuracy.push_back(ratio(right, all));
    f1.push_back(sum_f1 / double(present));
    iou.push_back(sum_iou / double(present));
  }
  out.accuracy = middle_of(std::move(accuracy)), out.macro_f1 = middle_of(std::move(f1));
  out.mean_iou = middle_of(std::move(iou));
  for (size_t c = 0; c < K; ++c) out.iou[c] = middle_of(std::move(of_class[c]));
  return out;
}

std::optional<Interval> auroc_interval(const Scores& s) {
  if (s.normal.size() < 2 || s.anomalous.size() < 2) return {};
  std::vector<double> values;
  Scores drawn{std::vector<double>(s.normal.size()), std::vector<double>(s.anomalous.size())};
  for (uint32_t i = 0; i < kResamples; ++i) {
    RandomSequence random(1, RandomStream::bootstrap, i);
    for (double& v : drawn.normal) v = s.normal[random.below(uint32_t(s.normal.size()))];
    for (double& v : drawn.anomalous) v = s.anomalous[random.below(uint32_t(s.anomalous.size()))];
    values.push_back(area_under_roc(drawn));
  }
  return middle_of(std::move(values));
}

std::optional<Interval> share_interval(int64_t hits, int64_t n) {
  if (n <= 0) return {};
  const double p = double(hits) / double(n), z2 = kNormal * kNormal / double(n);
  const double middle = (p + z2 / 2) / (1 + z2);
  const double half = kNormal / (1 + z2) * std::sqrt(p * (1 - p) / double(n) + z2 / (4 * double(n)));
  return Interval{std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::string in_words(const std::optional<Interval>& i) {
  return i ? fmt::format("{:.3f} to {:.3f}", i->low, i->high) : std::string();
}
std::string with_interval(const std::string& label, const std::optional<Interval>& i) {
  return i ? label + " (" + in_words(i) + ")" : label;
}
std::vector<double> ends_of(const std::optional<Interval>& i) {
  return i ? std::vector<double>{i->low, i->high} : std::vector<double>();
}

}  // namespace kern::training
