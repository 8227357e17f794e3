#include "training/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

std::string value_of(const Settings& settings, const std::string& key) {
  for (const auto& [name, value] : settings)
    if (name == key) return value;
  return "none";  // a key that this run's version does not know
}

using Items = std::set<std::string>;
Items items_of(const ComparedRun& run) { return {run.evaluated.begin(), run.evaluated.end()}; }

}  // namespace

Spread spread_of(std::span<const double> values) {
  Spread s{0, 0, int64_t(values.size())};
  for (double v : values) s.mean += v;
  if (s.n > 0) s.mean /= double(s.n);
  for (double v : values) s.deviation += (v - s.mean) * (v - s.mean);
  s.deviation = s.n > 1 ? std::sqrt(s.deviation / double(s.n - 1)) : 0;
  return s;
}

std::string to_string(const Spread& s, int decimals) {
  if (s.n == 0) return "–";
  const std::string mean = fmt::format("{:.{}f}", s.mean, decimals);
  return s.n == 1 ? mean : fmt::format("{} ± {:.{}f}", mean, s.deviation, decimals);
}

std::vector<ComparedMethod> group_runs(const std::vector<Settings>& runs, const ComparisonRules& rules) {
  std::vector<std::string> keys;  // those that tell methods apart
  for (const Settings& s : runs)
    for (const Settings::value_type& setting : s) {
      const std::string& key = setting.first;
      if (!rules.silent.count(key) && !rules.repeats.count(key) && std::ranges::find(keys, key) == keys.end() &&
          std::ranges::any_of(runs, [&](const Settings& other) { return value_of(other, key) != setting.second; }))
        keys.push_back(key);
    }
  std::vector<ComparedMethod> methods;
  for (size_t r = 0; r < runs.size(); ++r) {
    Settings own;
    for (const std::string& key : keys) own.emplace_back(key, value_of(runs[r], key));
    auto same = std::ranges::find(methods, own, &ComparedMethod::settings);
    if (same == methods.end()) {
      std::string name;
      for (const auto& [key, value] : own) name += (name.empty() ? "" : ", ") + key + "=" + value;
      methods.push_back({name.empty() ? "these runs" : name, own, {}});
      same = methods.end() - 1;
    }
    same->runs.push_back(r);
  }
  return methods;
}

void check_comparable(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods) {
  const auto names = [](const ComparedRun& r) {
    std::vector<std::string> out;
    for (const ClassInfo& c : r.matrix.classes()) out.push_back(c.name);
    return out;
  };
  for (const ComparedRun& r : runs)
    check(names(r) == names(runs[0]), r.name, " tells other classes apart than ", runs[0].name,
          ": compare runs of the same classes");
  std::set<Items> expected;
  for (size_t i : methods[0].runs) expected.insert(items_of(runs[i]));
  for (const ComparedMethod& m : methods) {
    std::set<Items> own;
    for (size_t i : m.runs) own.insert(items_of(runs[i]));
    if (own == expected) continue;
    throw Error(text("the runs do not evaluate on the same validation data: ", runs[methods[0].runs[0]].name, " on ",
                     runs[methods[0].runs[0]].evaluated.size(), " and ", runs[m.runs[0]].name, " on ",
                     runs[m.runs[0]].evaluated.size(),
                     " items that differ, or one of them lacks folds that the other has. Compare runs of the same "
                     "data with equal validation, folds and split_seed"));
  }
  for (const Items& a : expected)  // folds have nothing in common
    for (const Items& b : expected)
      if (a != b)
        for (const std::string& item : a)
          check(!b.count(item), "runs of one method evaluate on different validation data that overlap (", item,
                " is in two): their spread would say nothing. Give them one split_seed, or the folds of one split");
}

Spread spread_of(const std::vector<ComparedRun>& runs, const ComparedMethod& m,
                 double (ConfusionMatrix::*figure)() const) {
  std::vector<double> values;
  for (size_t i : m.runs) values.push_back((runs[i].matrix.*figure)());
  return spread_of(values);
}

Spread epochs_until(const std::vector<ComparedRun>& runs, const ComparedMethod& m, const std::string& figure,
                    double value) {
  std::vector<double> epochs;
  for (size_t i : m.runs)
    if (const auto epoch = epochs_until(runs[i].metrics, figure, value)) epochs.push_back(double(*epoch));
  return spread_of(epochs);
}

Aims aims_all_reached(const std::vector<ComparedRun>& runs, const std::vector<std::string>& figures) {
  Aims aims;
  for (const std::string& figure : figures) {
    std::vector<double> best;
    for (const ComparedRun& r : runs)
      if (const auto b = best_of(r.metrics, figure)) best.push_back(*b);
    if (best.size() == runs.size() && !best.empty())
      aims.emplace_back(figure, falls(figure) ? std::ranges::max(best) : std::ranges::min(best));
  }
  return aims;
}

ConfusionMatrix pooled(const std::vector<ComparedRun>& runs, const ComparedMethod& m) {
  ConfusionMatrix sum(runs[m.runs[0]].matrix.classes());
  for (size_t i : m.runs) sum.merge(runs[i].matrix);
  return sum;
}

}  // namespace kern::training
