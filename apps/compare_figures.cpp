#include "apps/compare_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "apps/compare.h"
#include "engine/atomic_file.h"
#include "engine/json.h"
#include "kernels/common/error.h"
#include "training/metrics.h"
#include "training/report/comparison_report.h"
#include "training/report/svg.h"

namespace kern::apps {
namespace {
using namespace training;
using Cell = HtmlTable::Cell;

// A value of a run as it stands in its file: a text, else a number.
std::string detail_of(const FinishedRun& run, const std::string& name) {
  if (run.words.count(name)) return run.word(name);
  return readable(run.number(name));
}

}  // namespace

double FinishedRun::number(const std::string& name) const {
  const auto at = numbers.find(name);
  return at == numbers.end() || at->second.size() != 1 ? std::nan("") : at->second.front();
}
std::string FinishedRun::word(const std::string& name) const {
  const auto at = words.find(name);
  return at == words.end() || at->second.size() != 1 ? std::string() : at->second.front();
}
std::string FinishedRun::setting(const std::string& key) const {
  const auto at = std::ranges::find(settings, key, &Settings::value_type::first);
  return at == settings.end() ? std::string() : at->second;
}

FinishedRun read_finished_run(const std::string& folder, const std::string& task, Schema& keys) {
  require_finished(folder, task);
  const std::filesystem::path path = folder;
  keys.load_yaml((path / "config.yaml").string());
  FinishedRun run{.folder = folder, .settings = keys.values(), .numbers = {}, .words = {}, .metrics = {}};
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

Spread FiguresMethod::spread(const std::string& figure) const {
  std::vector<double> values;
  for (const FinishedRun* r : runs)
    if (const double v = r->number(figure); !std::isnan(v)) values.push_back(v);
  return spread_of(values);
}

std::vector<FiguresMethod> methods_of(const std::vector<FinishedRun>& runs, const ComparisonRules& rules) {
  std::vector<Settings> settings;
  for (const FinishedRun& r : runs) settings.push_back(r.settings);
  const std::vector<ComparedMethod> groups = group_runs(settings, rules);
  std::set<std::string> models;
  for (const ComparedMethod& g : groups) models.insert(runs[g.runs[0]].setting("model"));
  std::vector<FiguresMethod> methods;
  for (const ComparedMethod& g : groups) {
    methods.push_back({models.size() == groups.size() ? runs[g.runs[0]].setting("model") : g.name, {}});
    for (const size_t i : g.runs) methods.back().runs.push_back(&runs[i]);
  }
  return methods;
}

Cell spread_cell(const Spread& s, int decimals) {
  return s.n > 0 ? Cell{to_string(s, decimals), s.mean, {}} : Cell{"–", {}, {}};
}

HtmlTable table_of_methods(const std::vector<FiguresMethod>& methods, const std::vector<ShownFigure>& figures) {
  HtmlTable table;
  table.columns = {{""}, {"method"}, {"runs", true}};
  for (const ShownFigure& f : figures) table.columns.push_back({f.shown, true, f.best});
  for (size_t m = 0; m < methods.size(); ++m) {
    table.rows.push_back({{method_number(m), {}, method_colour(m)},
                          {methods[m].name, {}, {}},
                          count_cell(int64_t(methods[m].runs.size()))});
    for (const ShownFigure& f : figures)
      table.rows.back().push_back(spread_cell(methods[m].spread(f.name), f.decimals));
  }
  return table;
}

HtmlTable table_of_runs(const std::vector<FiguresMethod>& methods, const std::vector<std::string>& details,
                        const std::vector<ShownFigure>& figures) {
  HtmlTable table;
  table.columns = {{"run"}, {"method"}, {"seed", true}};
  for (const std::string& d : details) table.columns.push_back({d, true});
  for (const ShownFigure& f : figures) table.columns.push_back({f.shown, true});
  for (const FiguresMethod& m : methods)
    for (const FinishedRun* r : m.runs) {
      table.rows.push_back({{r->folder, {}, {}}, {m.name, {}, {}}, {r->setting("seed"), {}, {}}});
      for (const std::string& d : details) table.rows.back().push_back({detail_of(*r, d), {}, {}});
      for (const ShownFigure& f : figures) table.rows.back().push_back(figure_cell(r->number(f.name), f.decimals));
    }
  return table;
}

std::string csv_of_methods(const std::vector<FiguresMethod>& methods, const std::vector<ShownFigure>& figures) {
  std::string out = "method,runs";
  for (const ShownFigure& f : figures) out += fmt::format(",{0},{0}_deviation", f.name);
  for (const FiguresMethod& m : methods) {
    out += fmt::format("\n{},{}", csv_field(m.name), m.runs.size());
    for (const ShownFigure& f : figures) {
      const Spread s = m.spread(f.name);
      out += s.n > 0 ? fmt::format(",{},{}", s.mean, s.deviation) : std::string(",,");
    }
  }
  return out + "\n";
}

}  // namespace kern::apps
