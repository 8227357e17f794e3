#include "apps/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "apps/anomalies/judge.h"
#include "apps/anomalies/verbs.h"
#include "apps/build_info.h"
#include "engine/atomic_file.h"
#include "training/comparison.h"
#include "training/report/charts.h"
#include "training/report/report.h"
#include "training/run_folder.h"

namespace kern::apps {
namespace {
using namespace training;
using nlohmann::json;

ComparisonRules rules() {
  return {.silent = {"run", "resume", "report_pictures", "panels", "quiet", "threads", "device", "checkpoint_every",
                     "cache", "resamples"},
          .repeats = {"seed"}};
}

// What a finished run has written of itself: nothing is judged again.
struct Finished {
  std::string folder;
  Settings settings;
  json figures;                     // result.json
  std::vector<std::string> judged;  // test pictures, by name
};

double number_of(const json& j) { return j.is_number() ? j.get<double>() : std::nan(""); }
double figure_of(const Finished& run, const std::string& name) {
  return run.figures.contains(name) ? number_of(run.figures.at(name)) : std::nan("");
}

Finished read_run(const std::string& folder) {
  require_finished(folder, "anomalies");
  const std::filesystem::path path = folder;
  Finished run{.folder = folder, .settings = {}, .figures = {}, .judged = {}};
  AnomaliesTrainConfig c;
  Schema keys("anomalies train");
  describe_anomalies_train(keys, c);
  keys.load_yaml((path / "config.yaml").string());
  run.settings = keys.values();
  run.figures = json::parse(read_file(path / "result.json"), nullptr, false);
  check(run.figures.is_object() && run.figures.contains("rules") && run.figures.contains("auroc"),
        (path / "result.json").string(), " is damaged, or not of a training of anomalies: train again");
  std::istringstream lines(read_file(path / "scores.csv"));
  for (std::string line; std::getline(lines, line);)
    if (const size_t part = line.find(",test,"); part != line.npos) run.judged.push_back(line.substr(0, part));
  check(!run.judged.empty(), "the run in ", folder,
        " was not tested: it has no test pictures. Train with test=0.15, or give pictures below test/");
  return run;
}

struct Method {
  std::string name;
  std::vector<const Finished*> runs;
};

std::vector<Method> methods_of(const std::vector<Finished>& runs) {
  std::vector<Settings> settings;
  for (const Finished& r : runs) settings.push_back(r.settings);
  std::vector<Method> out;
  std::set<std::string> names;
  const std::vector<ComparedMethod> groups = group_runs(settings, rules());
  auto model_of = [](const Finished& r) { return r.figures.value("model", std::string("?")); };
  for (const ComparedMethod& g : groups) names.insert(model_of(runs[g.runs[0]]));
  const bool by_model = names.size() == groups.size();  // then its name says enough
  for (const ComparedMethod& g : groups) {
    Method m{.name = by_model ? model_of(runs[g.runs[0]]) : g.name, .runs = {}};
    for (const size_t i : g.runs) m.runs.push_back(&runs[i]);
    out.push_back(std::move(m));
  }
  return out;
}

// Other test pictures would make another spread and another mean.
void check_judged(const std::vector<Finished>& runs) {
  for (const Finished& r : runs)
    check(r.judged == runs.front().judged, r.folder, " was tested on other pictures than ", runs.front().folder,
          ": compare runs of the same data with equal validation=, test= and split_seed=");
}

training::Spread figure_of(const Method& m, const std::string& name) {
  std::vector<double> values;
  for (const Finished* r : m.runs)
    if (const double v = figure_of(*r, name); !std::isnan(v)) values.push_back(v);
  return spread_of(values);
}

// Of one rule; n is 0 where no run has it.
training::Spread rate_of(const Method& m, const std::string& rule, const char* rates) {
  std::vector<double> values;
  for (const Finished* r : m.runs) {
    const json& names = r->figures.at("rules");
    for (size_t i = 0; i < names.size(); ++i)
      if (names[i].get<std::string>() == rule && r->figures.contains(rates) && i < r->figures.at(rates).size())
        if (const double v = number_of(r->figures.at(rates)[i]); !std::isnan(v)) values.push_back(v);
  }
  return spread_of(values);
}

constexpr std::pair<const char*, const char*> kFigures[] = {{"auroc", "AUROC"},     {"aupr", "AUPR"},
                                                            {"best_f1", "best F1"}, {"tpr", "TPR"},
                                                            {"tnr", "TNR"},         {"pixel_auroc", "pixel AUROC"},
                                                            {"pro", "PRO"}};

HtmlTable::Cell spread_cell(const training::Spread& s) { return {to_string(s, 3), s.mean, {}}; }

void add_tables(HtmlDocument& document, const std::vector<Method>& methods) {
  using Best = HtmlTable::Best;
  HtmlTable figures;
  figures.columns = {{"method"}, {"runs", true}};
  for (const auto& [name, shown] : kFigures) figures.columns.push_back({shown, true, Best::highest});
  for (const Method& m : methods) {
    figures.rows.push_back({{m.name, {}, {}}, count_cell(int64_t(m.runs.size()))});
    for (const auto& [name, shown] : kFigures) {
      const training::Spread s = figure_of(m, name);
      figures.rows.back().push_back(s.n > 0 ? spread_cell(s) : HtmlTable::Cell{"–", {}, {}});
    }
  }
  figures.caption =
      "Mean ± standard deviation (n - 1) over the runs of a method, which differ in seed alone, on the test pictures. "
      "TPR "
      "and TNR at the threshold that the run's own rule found on the validation.";
  document.table(figures);
  document.section("Rules");
  HtmlTable table;
  table.columns = {{"method"}};
  for (const ThresholdRule& r : threshold_rules()) table.columns.push_back({std::string(r.name), true});
  for (const Method& m : methods) {
    table.rows.push_back({{m.name, {}, {}}});
    for (const ThresholdRule& r : threshold_rules()) {
      const training::Spread found = rate_of(m, std::string(r.name), "rules_tpr"),
                             left = rate_of(m, std::string(r.name), "rules_tnr");
      table.rows.back().push_back(
          {found.n + left.n > 0 ? to_string(found, 3) + " / " + to_string(left, 3) : std::string("–"), {}, {}});
    }
  }
  table.caption = "TPR / TNR on the test pictures; every rule found its threshold on the validation pictures alone.";
  document.table(table);
}

void add_runs(HtmlDocument& document, const std::vector<Method>& methods) {
  document.section("Runs");
  HtmlTable table;
  table.columns = {{"run"}, {"method"}, {"seed", true}, {"rule"}, {"threshold", true}};
  for (const auto& [name, shown] : kFigures) table.columns.push_back({shown, true});
  table.columns.push_back({"seconds", true});
  for (const Method& m : methods)
    for (const Finished* r : m.runs) {
      const auto seed = std::ranges::find(r->settings, std::string("seed"), &Settings::value_type::first);
      table.rows.push_back({{r->folder, {}, {}},
                            {m.name, {}, {}},
                            {seed == r->settings.end() ? "" : seed->second, {}, {}},
                            {r->figures.value("rule", std::string()), {}, {}},
                            {readable(figure_of(*r, "threshold")), {}, {}}});
      for (const auto& [name, shown] : kFigures) table.rows.back().push_back(figure_cell(figure_of(*r, name)));
      table.rows.back().push_back(figure_cell(figure_of(*r, "seconds"), 1));
    }
  document.table(table);
}

std::string table_csv(const std::vector<Method>& methods) {
  std::string out = "method,runs";
  for (const auto& [name, shown] : kFigures) out += fmt::format(",{0},{0}_deviation", name);
  for (const ThresholdRule& r : threshold_rules())
    out += fmt::format(",{0}_tpr,{0}_tpr_deviation,{0}_tnr,{0}_tnr_deviation", r.name);
  for (const Method& m : methods) {
    out += fmt::format("\n{},{}", csv_word(m.name), m.runs.size());
    auto add = [&](const training::Spread& s) {
      out += s.n > 0 ? fmt::format(",{},{}", s.mean, s.deviation) : std::string(",,");
    };
    for (const auto& [name, shown] : kFigures) add(figure_of(m, name));
    for (const ThresholdRule& r : threshold_rules())
      for (const char* rates : {"rules_tpr", "rules_tnr"}) add(rate_of(m, std::string(r.name), rates));
  }
  return out + "\n";
}

}  // namespace

void run_anomalies_compare(const AnomaliesCompareConfig& c, Call& call) {
  std::vector<Finished> runs;
  for (const std::string& folder : c.runs) runs.push_back(read_run(folder));
  check_judged(runs);
  const std::vector<Method> methods = methods_of(runs);
  const RunFolder out = RunFolder::create(c.out);
  Report report(out.path(), "Comparison of anomaly judges",
                fmt::format("{} runs, {} methods", runs.size(), methods.size()));
  report.document().section("Summary");
  add_tables(report.document(), methods);
  BarChart chart;
  chart.title = "AUROC on the test pictures";
  BarChart::Bars bars{"AUROC", {}, "#2f86c8"};
  for (const Method& m : methods) {
    chart.groups.push_back(m.name);
    bars.values.push_back(std::round(1000 * figure_of(m, "auroc").mean) / 1000);
  }
  chart.bars.push_back(std::move(bars));
  report.figure("auroc", bar_chart(chart), "Means over the runs of a method; 0.5 is chance.");
  add_runs(report.document(), methods);
  report.document().section("Provenance");
  report.document().facts(
      {{"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
       {"Judged", "as each run judged itself when it ended"}});
  out.write("comparison.csv", table_csv(methods));
  const std::filesystem::path written = report.write();
  call.figures.add("runs", int64_t(runs.size()));
  call.figures.add("methods", int64_t(methods.size()));
  for (const Method& m : methods) {
    const training::Spread auroc = figure_of(m, "auroc");
    fmt::print("{}: AUROC {}, TPR {}, TNR {} ({} runs)\n", m.name, to_string(auroc), to_string(figure_of(m, "tpr")),
               to_string(figure_of(m, "tnr")), m.runs.size());
    call.figures.add(m.name + ": auroc", std::vector<double>{auroc.mean, auroc.deviation});
  }
  fmt::print("report: {}\n", written.string());
}

}  // namespace kern::apps
