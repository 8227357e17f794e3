#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "apps/build_info.h"
#include "apps/faults/report.h"
#include "apps/faults/verbs.h"
#include "apps/study.h"
#include "data/seismic_image.h"
#include "training/report/comparison_report.h"
#include "training/report/segmentation_report.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using namespace training;

ComparisonRules rules() {
  return {.silent = {"run", "resume", "report_sections", "quiet", "threads", "device", "checkpoint_every", "tile"},
          .repeats = {"seed"}};
}
// All are evaluated on the sections of the first: what a run validated itself on makes no other method of it.
std::vector<ComparedMethod> methods_on_equal_sections(const std::vector<ComparedRun>& runs) {
  ComparisonRules equal = rules();
  equal.silent.insert({"validation_seed", "validation_sections"});
  std::vector<ComparedMethod> methods = group_runs(runs, equal);
  name_by_model(methods, runs);
  return methods;
}

const std::vector<ShownFigure> kFigures = {{"average_precision", "average precision"},
                                           {"tol_iou", "Tol-IoU@2"},
                                           {"tol_precision", "precision@2"},
                                           {"tol_recall", "recall@2"},
                                           {"f1", "F1"}};
const std::vector<ShownFigure> kCosts = {{"parameters", "parameters", 0, HtmlTable::Best::none},
                                         {"sections_seen", "sections seen", 0, HtmlTable::Best::none},
                                         {"seconds", "seconds", 0, HtmlTable::Best::none}};

struct Evaluated {
  std::vector<ComparedRun> runs;
  std::vector<LabelledSection> sections;
  std::vector<FaultsEvaluation> evaluations;  // of each run
};

// Every run's best model, evaluated again on the sections that validated the first run.
Evaluated evaluate_all(const std::vector<std::string>& folders, Device device) {
  Evaluated all;
  FaultsTrainConfig first;
  for (const std::string& folder : folders) {
    FaultsTrainConfig c;
    Schema keys("faults train");
    describe_faults_train(keys, c);
    ComparedRun run = read_finished_run(folder, "faults", keys);
    if (all.runs.empty()) {
      first = c;
      all.sections =
          validation_sections(c, models::section_model(c.model),
                              c.from.empty() ? nullptr : std::make_shared<data::SectionWindows>(c.from, c.places));
    }
    check(c.recipe.seed != first.validation_seed, folder, " trained with seed=", c.recipe.seed,
          ", which is the validation_seed= of ", folders.front(),
          ": it may have seen the sections that all are evaluated on");
    const FaultsModel model = load_faults_model(find_model_file(folder));
    model.module.move_to(device);
    all.evaluations.push_back(evaluate(model, all.sections, model.threshold));
    const FaultsEvaluation& j = all.evaluations.back();
    run.numbers["average_precision"] = {j.curve.average_precision()};
    run.numbers["tol_iou"] = {j.tolerant.iou()};
    run.numbers["tol_precision"] = {j.tolerant.precision()};
    run.numbers["tol_recall"] = {j.tolerant.recall()};
    run.numbers["f1"] = {j.point.f1()};
    run.numbers["sections_seen"] = {run.number("epochs") * double(c.sections)};
    all.runs.push_back(std::move(run));
  }
  return all;
}

// Sections on which the last method differs most from the first, for the worse and for the better, and some between.
void add_sections(Report& report, const Evaluated& all, const std::vector<ComparedMethod>& methods, int wanted) {
  constexpr size_t kMaxMethods = 6;
  std::vector<const FaultsEvaluation*> shown;  // of the first run of each method
  for (const ComparedMethod& m : methods)
    if (shown.size() < kMaxMethods) shown.push_back(&all.evaluations[m.runs.front()]);
  std::vector<double> change = shown.back()->agreement;
  if (shown.size() > 1)
    for (size_t i = 0; i < change.size(); ++i) change[i] -= shown.front()->agreement[i];
  std::vector<HtmlDocument::Panel> panels;
  const size_t drawn = size_t(std::max(0, wanted)), third = drawn / 3;
  for (const auto& [i, why] : choose_wells(change, third, drawn - 2 * third, third)) {
    std::vector<std::span<const float>> probabilities;
    std::string caption = "From left to right: section, its faults";
    for (size_t m = 0; m < shown.size(); ++m) {
      probabilities.emplace_back(shown[m]->probabilities[i]);
      caption += fmt::format(", {} ({:.3f})", methods[m].name, shown[m]->agreement[i]);
    }
    const LabelledSection& s = all.sections[i];
    panels.push_back({s.name, panel_of(s, probabilities),
                      caption + fmt::format(". In brackets Tol-IoU@2; probability from {} on.", data::kClearBelow)});
  }
  if (panels.empty()) return;
  report.document().section("Sections");
  report.document().panels("Section", panels);
}

// Writes the report into the folder, and says the figures of each method.
void report_comparison(const Evaluated& all, int sections, const RunFolder& out) {
  const std::vector<ComparedMethod> methods = methods_on_equal_sections(all.runs);
  Report report(out.path(), "Comparison of fault networks",
                fmt::format("{} runs, {} methods, {} sections", all.runs.size(), methods.size(), all.sections.size()));
  HtmlDocument& document = report.document();
  document.section("Summary");
  std::vector<ShownFigure> columns = kFigures;
  columns.insert(columns.end(), kCosts.begin(), kCosts.end());
  HtmlTable table = table_of_methods(all.runs, methods, columns);
  table.caption = fmt::format(
      "Mean ± standard deviation (n - 1) over the runs of a method, which differ in seed alone. Every run's best "
      "model, "
      "at its own threshold, on the {} sections that validated {}. @2: thinned to one sample, and forgiven by two.",
      all.sections.size(), all.runs.front().name);
  document.table(table);
  document.section("Training");
  document.begin_row();
  for (const char* figure : {"average_precision", "tol_iou"}) add_curve(report, all.runs, methods, figure);
  document.end_row();
  add_sections(report, all, methods, sections);
  document.section("Runs");
  document.table(table_of_runs(all.runs, methods, {"best_epoch", "threshold"}, columns));
  document.section("Provenance");
  document.facts(
      {{"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
       {"Evaluated", "the best model of each run, again, on the sections that validated the first"}});
  out.write("comparison.csv", csv_of_methods(all.runs, methods, columns));
  const std::filesystem::path written = report.write();
  for (const ComparedMethod& m : methods)
    fmt::print("{}: average precision {}, Tol-IoU@2 {} ({} runs)\n", m.name,
               to_string(spread_of(all.runs, m, "average_precision")), to_string(spread_of(all.runs, m, "tol_iou")),
               m.runs.size());
  fmt::print("report: {}\n", written.string());
}

}  // namespace

void run_faults_compare(const FaultsCompareConfig& c, Call& call) {
  c.machine.apply();
  const Evaluated all = evaluate_all(c.runs, c.machine.where());
  call.figures.add("runs", int64_t(all.runs.size()));
  for (const ComparedMethod& m : methods_on_equal_sections(all.runs)) {
    const training::Spread precision = spread_of(all.runs, m, "average_precision");
    call.figures.add(m.name + ": average_precision", std::vector<double>{precision.mean, precision.deviation});
  }
  report_comparison(all, c.report_sections, RunFolder::create(c.out));
}

void run_faults_study(const StudyConfig& config, Call& call) {
  run_study(config,
            {.command = "faults train",
             .train = verb<FaultsTrainConfig>("train", "", describe_faults_train, run_faults_train),
             .rules = rules(),
             .figures = {"average_precision", "f1", "tol_iou"},
             .compare =
                 [](const std::vector<std::string>& runs, const RunFolder& out) {
                   report_comparison(evaluate_all(runs, Device::cpu), FaultsCompareConfig().report_sections, out);
                 }},
            call);
}

}  // namespace kern::apps
