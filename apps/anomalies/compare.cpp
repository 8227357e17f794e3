#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

#include "apps/anomalies/evaluation.h"
#include "apps/anomalies/verbs.h"
#include "apps/build_info.h"
#include "engine/atomic_file.h"
#include "training/comparison.h"
#include "training/report/charts.h"
#include "training/report/comparison_report.h"
#include "training/report/report.h"
#include "training/run_folder.h"

namespace kern::apps {
namespace {
using namespace training;

ComparisonRules rules() {
  return {.silent = {"run", "resume", "report_images", "panels", "quiet", "threads", "device", "checkpoint_every",
                     "cache", "resamples"},
          .repeats = {"seed"}};
}

const std::vector<ShownFigure> kFigures = {{"auroc", "AUROC"}, {"aupr", "AUPR"}, {"best_f1", "best F1"},
                                           {"tpr", "TPR"},     {"tnr", "TNR"},   {"pixel_auroc", "pixel AUROC"},
                                           {"pro", "PRO"}};

// TPR and TNR by every rule, as quantile_tpr and so on.
std::vector<ShownFigure> rates() {
  std::vector<ShownFigure> all;
  for (const ThresholdRule& r : threshold_rules())
    for (const char* rate : {"tpr", "tnr"}) all.push_back({fmt::format("{}_{}", r.name, rate), std::string(r.name)});
  return all;
}

// What a finished run has written of itself: nothing is evaluated again.
struct Tested {
  ComparedRun run;
  std::vector<std::string> images;  // of the test, by name
};

Tested read_run(const std::string& folder) {
  AnomaliesTrainConfig c;
  Schema keys("anomalies train");
  describe_anomalies_train(keys, c);
  Tested t{read_finished_run(folder, "anomalies", keys), {}};
  ComparedRun& run = t.run;
  check(run.words.count("rules") && run.numbers.count("auroc"),
        (std::filesystem::path(folder) / "result.json").string(),
        " is damaged, or not of a training of anomalies: train again");
  const std::vector<std::string>& names = run.words["rules"];
  for (const char* rate : {"tpr", "tnr"}) {
    const std::vector<double> values = run.numbers[fmt::format("rules_{}", rate)];
    for (size_t i = 0; i < std::min(names.size(), values.size()); ++i)
      run.numbers[fmt::format("{}_{}", names[i], rate)] = {values[i]};
  }
  std::istringstream lines(read_file(std::filesystem::path(folder) / "scores.csv"));
  for (std::string line; std::getline(lines, line);)
    if (const size_t part = line.find(",test,"); part != line.npos) t.images.push_back(line.substr(0, part));
  check(!t.images.empty(), "the run in ", folder,
        " was not tested: it has no test images. Train with test=0.15, or give images below test/");
  return t;
}

std::vector<ComparedRun> read_runs(const std::vector<std::string>& folders) {
  std::vector<ComparedRun> runs;
  std::vector<std::string> images;
  for (const std::string& folder : folders) {
    Tested t = read_run(folder);
    if (runs.empty()) images = t.images;
    // Other test images would make another spread and another mean.
    check(t.images == images, folder, " was tested on other images than ", folders.front(),
          ": compare runs of the same data with equal validation=, test= and split_seed=");
    runs.push_back(std::move(t.run));
  }
  return runs;
}

void add_tables(HtmlDocument& document, const std::vector<ComparedRun>& runs,
                const std::vector<ComparedMethod>& methods) {
  HtmlTable figures = table_of_methods(runs, methods, kFigures);
  figures.caption =
      "Mean ± standard deviation (n - 1) over the runs of a method, which differ in seed alone, on the test images. "
      "TPR and TNR at the threshold that the run's own rule found on the validation.";
  document.table(figures);
  document.section("Rules");
  HtmlTable table;
  table.columns = {{"method"}};
  for (const ThresholdRule& r : threshold_rules()) table.columns.push_back({std::string(r.name), true});
  for (const ComparedMethod& m : methods) {
    table.rows.push_back({{m.name, {}, {}}});
    for (const ThresholdRule& r : threshold_rules()) {
      const training::Spread found = spread_of(runs, m, fmt::format("{}_tpr", r.name)),
                             left = spread_of(runs, m, fmt::format("{}_tnr", r.name));
      table.rows.back().push_back(
          {found.n + left.n > 0 ? to_string(found, 3) + " / " + to_string(left, 3) : std::string("–"), {}, {}});
    }
  }
  table.caption = "TPR / TNR on the test images; every rule found its threshold on the validation images alone.";
  document.table(table);
}

}  // namespace

void run_anomalies_compare(const AnomaliesCompareConfig& c, Call& call) {
  const std::vector<ComparedRun> runs = read_runs(c.runs);
  std::vector<ComparedMethod> methods = group_runs(runs, rules());
  name_by_model(methods, runs);
  const RunFolder out = RunFolder::create(c.out);
  Report report(out.path(), "Comparison of anomaly evaluates",
                fmt::format("{} runs, {} methods", runs.size(), methods.size()));
  report.document().section("Summary");
  add_tables(report.document(), runs, methods);
  BarChart chart;
  chart.title = "AUROC on the test images";
  BarChart::Bars bars{"AUROC", {}, "#2f86c8"};
  for (const ComparedMethod& m : methods) {
    chart.groups.push_back(m.name);
    bars.values.push_back(std::round(1000 * spread_of(runs, m, "auroc").mean) / 1000);
  }
  chart.bars.push_back(std::move(bars));
  report.figure("auroc", bar_chart(chart), "Means over the runs of a method; 0.5 is chance.");
  report.document().section("Runs");
  std::vector<ShownFigure> shown = kFigures;
  shown.push_back({"seconds", "seconds", 1});
  report.document().table(table_of_runs(runs, methods, {"rule", "threshold"}, shown));
  report.document().section("Provenance");
  report.document().facts(
      {{"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
       {"Evaluated", "as each run evaluated itself when it ended"}});
  std::vector<ShownFigure> columns = kFigures;
  std::ranges::move(rates(), std::back_inserter(columns));
  out.write("comparison.csv", csv_of_methods(runs, methods, columns));
  const std::filesystem::path written = report.write();
  call.figures.add("runs", int64_t(runs.size()));
  call.figures.add("methods", int64_t(methods.size()));
  for (const ComparedMethod& m : methods) {
    const training::Spread auroc = spread_of(runs, m, "auroc");
    fmt::print("{}: AUROC {}, TPR {}, TNR {} ({} runs)\n", m.name, to_string(auroc),
               to_string(spread_of(runs, m, "tpr")), to_string(spread_of(runs, m, "tnr")), m.runs.size());
    call.figures.add(m.name + ": auroc", std::vector<double>{auroc.mean, auroc.deviation});
  }
  fmt::print("report: {}\n", written.string());
}

}  // namespace kern::apps
