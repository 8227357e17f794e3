#include "training/fault_metrics.h"

#include <algorithm>
#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {
constexpr int64_t kBins = 4096;
int64_t bin_of(double p) { return p >= 0 ? std::min(kBins - 1, int64_t(std::min(p, 1.0) * kBins)) : 0; }
}  // namespace

PrecisionRecall::PrecisionRecall() : positive_(kBins, 0), negative_(kBins, 0) {}

void PrecisionRecall::add(std::span<const float> probability, std::span<const int32_t> labels) {
  check(probability.size() == labels.size(), "precision and recall need a label for every probability, got ",
        probability.size(), " and ", labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    auto& bins = labels[i] > 0 ? positive_ : negative_;
    ++bins[size_t(bin_of(double(probability[i])))];
    positives_ += labels[i] > 0;
    ++count_;
  }
}

std::vector<int64_t> PrecisionRecall::counts() const {
  std::vector<int64_t> all = positive_;
  all.insert(all.end(), negative_.begin(), negative_.end());
  return all;
}

void PrecisionRecall::add_counts(const std::vector<int64_t>& counts) {
  internal_check(counts.size() == 2 * kBins, counts.size(), " counts of two times ", kBins, " bins");
  for (size_t b = 0; b < kBins; ++b) {
    positive_[b] += counts[b], negative_[b] += counts[kBins + b];
    positives_ += counts[b], count_ += counts[b] + counts[kBins + b];
  }
}

double PrecisionRecall::average_precision() const {
  if (positives_ == 0) return std::nan("");
  double sum = 0;
  int64_t right = 0, found = 0;
  for (size_t b = kBins; b-- > 0;) {
    right += positive_[b];
    found += positive_[b] + negative_[b];
    if (positive_[b] > 0) sum += double(right) / double(found) * double(positive_[b]);
  }
  return sum / double(positives_);
}

PrecisionRecall::Point PrecisionRecall::at(double threshold) const {
  const int64_t first = bin_of(threshold);
  int64_t right = 0, found = 0;
  for (int64_t b = first; b < kBins; ++b) {
    right += positive_[size_t(b)];
    found += positive_[size_t(b)] + negative_[size_t(b)];
  }
  return {double(first) / kBins, found > 0 ? double(right) / double(found) : 0,
          positives_ > 0 ? double(right) / double(positives_) : std::nan("")};
}

PrecisionRecall::Point PrecisionRecall::best_f1() const {
  Point best{1, 0, positives_ > 0 ? 0 : std::nan("")};
  int64_t right = 0, found = 0;
  for (int64_t b = kBins; b-- > 0;) {
    right += positive_[size_t(b)];
    found += positive_[size_t(b)] + negative_[size_t(b)];
    if (right == 0) continue;
    const Point p{double(b) / kBins, double(right) / double(found), double(right) / double(positives_)};
    if (p.f1() > best.f1()) best = p;
  }
  return best;
}

TolerantAgreement::TolerantAgreement(double tolerance) {
  check(tolerance >= 0 && tolerance <= 32, "the tolerance must be from 0 to 32 samples, got ", tolerance);
  const auto reach = int64_t(tolerance);
  for (int64_t i = -reach; i <= reach; ++i)
    for (int64_t x = -reach; x <= reach; ++x)
      for (int64_t z = -reach; z <= reach; ++z)
        if (double(i * i + x * x + z * z) <= tolerance * tolerance) ball_.push_back({i, x, z});
  auto length = [](const std::array<int64_t, 3>& s) { return s[0] * s[0] + s[1] * s[1] + s[2] * s[2]; };
  std::stable_sort(ball_.begin(), ball_.end(), [&](const auto& a, const auto& b) { return length(a) < length(b); });
}

void TolerantAgreement::add(std::span<const float> found, std::span<const int32_t> labels, const data::Block& b) {
  add(found, labels, b, {.from = {}, .to = {b.inlines, b.crosslines, b.samples}});
}

void TolerantAgreement::add(std::span<const float> found, std::span<const int32_t> labels, const data::Block& b,
                            const data::Box& counted) {
  check(int64_t(found.size()) == b.size() && int64_t(labels.size()) == b.size(), "a block of ", b.size(),
        " samples needs as many found and labelled values, got ", found.size(), " and ", labels.size());
  auto near = [&](int64_t i, int64_t x, int64_t z, const auto& is_set) {
    for (const auto& [di, dx, dz] : ball_) {
      const int64_t p = i + di, q = x + dx, r = z + dz;
      if (p < 0 || p >= b.inlines || q < 0 || q >= b.crosslines || r < 0 || r >= b.samples) continue;
      if (is_set(size_t(b.index(p, q, r)))) return true;
    }
    return false;
  };
  for (int64_t i = counted.from[0]; i < counted.to[0]; ++i)
    for (int64_t x = counted.from[1]; x < counted.to[1]; ++x)
      for (int64_t z = counted.from[2]; z < counted.to[2]; ++z) {
        const auto here = size_t(b.index(i, x, z));
        if (found[here] != 0 && labels[here] >= 0) {
          ++found_;
          right_ += near(i, x, z, [&](size_t k) { return labels[k] > 0; });
        }
        if (labels[here] > 0) {
          ++labelled_;
          met_ += near(i, x, z, [&](size_t k) { return found[k] != 0; });
        }
      }
}

void TolerantAgreement::merge(const TolerantAgreement& o) {
  found_ += o.found_, right_ += o.right_, labelled_ += o.labelled_, met_ += o.met_;
}
void TolerantAgreement::add_counts(const std::vector<int64_t>& counts) {
  internal_check(counts.size() == 4, counts.size(), " counts of an agreement");
  found_ += counts[0], right_ += counts[1], labelled_ += counts[2], met_ += counts[3];
}
double TolerantAgreement::precision() const { return found_ > 0 ? double(right_) / double(found_) : std::nan(""); }
double TolerantAgreement::recall() const { return labelled_ > 0 ? double(met_) / double(labelled_) : std::nan(""); }
double TolerantAgreement::f1() const {
  if (found_ == 0 && labelled_ == 0) return std::nan("");
  if (found_ == 0 || labelled_ == 0 || right_ == 0) return 0;
  return 2 * precision() * recall() / (precision() + recall());
}
double TolerantAgreement::iou() const { return f1() / (2 - f1()); }

}  // namespace kern::training
