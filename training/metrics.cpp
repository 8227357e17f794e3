#include "training/metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/json.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {
double ratio(int64_t part, int64_t whole) { return whole > 0 ? double(part) / double(whole) : 0.0; }
}  // namespace

ConfusionMatrix::ConfusionMatrix(ClassList classes) : classes_(std::move(classes)) {
  check_classes(classes_);
  counts_.assign(classes_.size() * classes_.size(), 0);
}

void ConfusionMatrix::add(int truth, int prediction) {
  if (truth == kIgnored) return;
  const int64_t k = class_count();
  check(truth >= 0 && truth < k, "a true class of ", truth, " was given, the classes are 0 to ", k - 1, " (or ",
        kIgnored, " for a sample without label)");
  check(prediction >= 0 && prediction < k, "a predicted class of ", prediction, " was given, the classes are 0 to ",
        k - 1);
  ++counts_[size_t(truth * k + prediction)];
}

void ConfusionMatrix::add(std::span<const int> truth, std::span<const int> prediction) {
  check(truth.size() == prediction.size(), "the metrics got ", truth.size(), " true classes and ", prediction.size(),
        " predictions: one of each per sample was expected");
  for (size_t i = 0; i < truth.size(); ++i) add(truth[i], prediction[i]);
}

void ConfusionMatrix::add_counts(std::span<const int32_t> counts) {
  internal_check(counts.size() == counts_.size(), counts.size(), " counts for ", class_count(), " classes");
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += counts[i];
}

void ConfusionMatrix::add_counts(std::span<const int64_t> counts) {
  internal_check(counts.size() == counts_.size(), counts.size(), " counts for ", class_count(), " classes");
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += counts[i];
}

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  check(class_count() == other.class_count(), "confusion matrices of ", class_count(), " and ", other.class_count(),
        " classes cannot be merged");
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

void ConfusionMatrix::clear() { std::fill(counts_.begin(), counts_.end(), 0); }

int64_t ConfusionMatrix::total() const {
  int64_t sum = 0;
  for (int64_t n : counts_) sum += n;
  return sum;
}

int64_t ConfusionMatrix::correct() const {
  int64_t sum = 0;
  for (int64_t c = 0; c < class_count(); ++c) sum += count(c, c);
  return sum;
}

int64_t ConfusionMatrix::support(int64_t c) const {
  int64_t sum = 0;
  for (int64_t p = 0; p < class_count(); ++p) sum += count(c, p);
  return sum;
}

int64_t ConfusionMatrix::predicted(int64_t c) const {
  int64_t sum = 0;
  for (int64_t t = 0; t < class_count(); ++t) sum += count(t, c);
  return sum;
}

double ConfusionMatrix::accuracy() const { return ratio(correct(), total()); }
double ConfusionMatrix::precision(int64_t c) const { return ratio(count(c, c), predicted(c)); }
double ConfusionMatrix::recall(int64_t c) const { return ratio(count(c, c), support(c)); }
double ConfusionMatrix::f1(int64_t c) const { return ratio(2 * count(c, c), support(c) + predicted(c)); }
double ConfusionMatrix::iou(int64_t c) const { return ratio(count(c, c), support(c) + predicted(c) - count(c, c)); }

double ConfusionMatrix::mean_over(double (ConfusionMatrix::*figure)(int64_t) const) const {
  double sum = 0;
  int64_t n = 0;
  for (int64_t c = 0; c < class_count(); ++c) {
    if (!present(c)) continue;
    sum += (this->*figure)(c);
    ++n;
  }
  return n > 0 ? sum / double(n) : 0.0;
}

double ConfusionMatrix::macro_f1() const { return mean_over(&ConfusionMatrix::f1); }
double ConfusionMatrix::mean_iou() const { return mean_over(&ConfusionMatrix::iou); }

double ConfusionMatrix::balanced_accuracy() const {
  double sum = 0;
  int64_t n = 0;
  for (int64_t c = 0; c < class_count(); ++c) {
    if (support(c) == 0) continue;
    sum += recall(c);
    ++n;
  }
  return n > 0 ? sum / double(n) : 0.0;
}

double ConfusionMatrix::majority_accuracy() const {
  int64_t most = 0;
  for (int64_t c = 0; c < class_count(); ++c) most = std::max(most, support(c));
  return ratio(most, total());
}

std::vector<double> ConfusionMatrix::row_shares() const {
  std::vector<double> shares(counts_.size());
  const int64_t k = class_count();
  for (int64_t t = 0; t < k; ++t) {
    const int64_t row = support(t);
    for (int64_t p = 0; p < k; ++p) shares[size_t(t * k + p)] = ratio(count(t, p), row);
  }
  return shares;
}

ConfusionMatrix majority_baseline(const ConfusionMatrix& truth, int64_t commonest) {
  ConfusionMatrix m(truth.classes());
  for (int64_t c = 0; c < truth.class_count(); ++c)
    for (int64_t i = 0; i < truth.support(c); ++i) m.add(int(c), int(commonest));
  return m;
}

std::string csv_field(std::string field) {
  // A spreadsheet takes a field that begins so for a formula, and would compute what a file's name says.
  if (!field.empty() && std::string_view("=+-@\t\r").find(field[0]) != std::string_view::npos) field.insert(0, 1, '\'');
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string quoted = "\"";
  for (char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string ConfusionMatrix::counts_csv() const {
  std::string out = "truth";
  for (const auto& c : classes_) out += ',' + csv_field(c.name);
  out += '\n';
  for (int64_t t = 0; t < class_count(); ++t) {
    out += csv_field(classes_[size_t(t)].name);
    for (int64_t p = 0; p < class_count(); ++p) out += fmt::format(",{}", count(t, p));
    out += '\n';
  }
  return out;
}

std::string ConfusionMatrix::per_class_csv() const {
  std::string out = "class,support,predicted,precision,recall,f1,iou\n";
  for (int64_t c = 0; c < class_count(); ++c)
    out += fmt::format("{},{},{},{},{},{},{}\n", csv_field(classes_[size_t(c)].name), support(c), predicted(c),
                       precision(c), recall(c), f1(c), iou(c));
  return out;
}

std::string ConfusionMatrix::json() const {
  nlohmann::ordered_json out;
  out["total"] = total();
  out["accuracy"] = accuracy();
  out["balanced_accuracy"] = balanced_accuracy();
  out["majority_accuracy"] = majority_accuracy();
  out["macro_f1"] = macro_f1();
  out["mean_iou"] = mean_iou();
  out["classes"] = nlohmann::ordered_json::array();
  out["counts"] = nlohmann::ordered_json::array();
  for (int64_t c = 0; c < class_count(); ++c) {
    out["classes"].push_back({{"name", classes_[size_t(c)].name},
                              {"colour", classes_[size_t(c)].colour},
                              {"support", support(c)},
                              {"predicted", predicted(c)},
                              {"precision", precision(c)},
                              {"recall", recall(c)},
                              {"f1", f1(c)},
                              {"iou", iou(c)}});
    auto row = nlohmann::ordered_json::array();
    for (int64_t p = 0; p < class_count(); ++p) row.push_back(count(c, p));
    out["counts"].push_back(std::move(row));
  }
  // A name that is not UTF-8 (an old file's Latin-1) must not make the figures unwritable.
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace kern::training
