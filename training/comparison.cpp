#include "training/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/atomic_file.h"
#include "engine/json.h"
#include "kernels/common/error.h"
#include "training/run_folder.h"

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

double ComparedRun::number(const std::string& figure) const {
  const auto at = numbers.find(figure);
  return at == numbers.end() || at->second.size() != 1 ? std::nan("") : at->second.front();
}
std::string ComparedRun::word(const std::string& key) const {
  const auto at = words.find(key);
  return at == words.end() || at->second.size() != 1 ? std::string() : at->second.front();
}
std::string ComparedRun::setting(const std::string& key) const {
  const auto at = std::ranges::find(settings, key, &Settings::value_type::first);
  return at == settings.end() ? std::string() : at->second;
}

ComparedRun read_finished_run(const std::string& folder, const std::string& task, Schema& keys) {
  switch (run_state(folder)) {
    case RunState::none:
      throw Error(text("there is no run in ", folder, ": name the folder of a finished training"));
    case RunState::foreign:
      throw Error(text(folder, " is not the folder of a run: name the folder of a finished training"));
    case RunState::unfinished:
      throw Error(
          text("the run in ", folder, " is not finished: go on with it first, kern ", task, " train resume=", folder));
    case RunState::finished:
      break;
  }
  const std::filesystem::path path = folder;
  keys.load_yaml((path / "config.yaml").string());
  ComparedRun run{.name = folder, .settings = keys.values(), .numbers = {}, .words = {}, .metrics = {}};
  const auto result = nlohmann::json::parse(read_file(path / "result.json"), nullptr, false);
  check(result.is_object(), (path / "result.json").string(), " is damaged: train again");
  for (const auto& [name, value] : result.items())
    for (const auto& part : value.is_array() ? value : nlohmann::json::array({value})) {
      if (part.is_string()) run.words[name].push_back(part.get<std::string>());
      if (part.is_number() || part.is_null())
        run.numbers[name].push_back(part.is_null() ? std::nan("") : part.get<double>());
    }
  if (std::filesystem::exists(path / "metrics.csv")) run.metrics = read_csv_table(path / "metrics.csv");
  return run;
}

std::string iou_of(const std::string& class_name) { return "IoU " + class_name; }

void set_matrix(ComparedRun& run, const ConfusionMatrix& m) {
  run.matrix = m;
  run.numbers["accuracy"] = {m.accuracy()};
  run.numbers["macro_f1"] = {m.macro_f1()};
  run.numbers["mean_iou"] = {m.mean_iou()};
  for (int64_t k = 0; k < m.class_count(); ++k)
    run.numbers[iou_of(m.classes()[size_t(k)].name)] = {m.present(k) ? m.iou(k) : std::nan("")};
}

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

std::vector<ComparedMethod> group_runs(const std::vector<ComparedRun>& runs, const ComparisonRules& rules) {
  std::vector<Settings> settings;
  for (const ComparedRun& r : runs) settings.push_back(r.settings);
  return group_runs(settings, rules);
}

void name_by_model(std::vector<ComparedMethod>& methods, const std::vector<ComparedRun>& runs) {
  std::set<std::string> models;
  for (const ComparedMethod& m : methods) models.insert(runs[m.runs[0]].setting("model"));
  if (models.size() == methods.size())
    for (ComparedMethod& m : methods) m.name = runs[m.runs[0]].setting("model");
}

void check_comparable(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods) {
  const auto names = [](const ComparedRun& r) {
    std::vector<std::string> out;
    for (const ClassInfo& c : r.matrix->classes()) out.push_back(c.name);
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

Spread spread_of(const std::vector<ComparedRun>& runs, const ComparedMethod& m, const std::string& figure) {
  std::vector<double> values;
  for (size_t i : m.runs)
    if (const double v = runs[i].number(figure); !std::isnan(v)) values.push_back(v);
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
  ConfusionMatrix sum(runs[m.runs[0]].matrix->classes());
  for (size_t i : m.runs) sum.merge(*runs[i].matrix);
  return sum;
}

}  // namespace kern::training
