#include "apps/compare.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

namespace kern::apps {
using namespace training;

void describe_comparison(Schema& keys, CompareConfig& c, const std::string& things) {
  keys.section("Comparison")
      .key("runs", c.runs, "folders of finished trainings; methods are held against that of the first", required())
      .key("out", c.out, "folder for report.html and comparison.csv", required())
      .key("data", c.data,
           "the " + things + ", where they no longer stand where the runs read them; empty: as the runs say")
      .key("report_" + things, c.shown, things + " drawn in the report", between(0, 200));
  describe_epochs_to(keys, c.reach, "metrics.csv; empty: what every run came to");
  describe_machine(keys, c.machine);
}

ComparisonRules comparison_rules(const std::string& things, std::set<std::string> silent) {
  silent.merge(
      std::set<std::string>{"run", "resume", "report_" + things, "quiet", "threads", "device", "checkpoint_every"});
  return {.silent = std::move(silent), .repeats = {"seed", "fold"}};
}

void set_evaluation(ComparedRun& run, const ConfusionMatrix& matrix, const std::vector<std::string>& evaluated,
                    const std::string& labelled, int64_t otherwise) {
  set_matrix(run, matrix);
  run.evaluated = evaluated;
  const double known = run.number(labelled);
  run.labelled = std::isnan(known) ? otherwise : int64_t(known);
}

void group(Comparison& c, const ComparisonRules& rules) {
  c.methods = group_runs(c.runs, rules);
  check_comparable(c.runs, c.methods);
}

void report_comparison(const Comparison& c, const RunFolder& out) {
  const std::filesystem::path written = write_comparison_report(out.path(), c);
  for (const ComparedMethod& m : c.methods)
    fmt::print("{}: accuracy {}, macro-F1 {}, mean IoU {} ({} runs)\n", m.name,
               to_string(spread_of(c.runs, m, "accuracy")), to_string(spread_of(c.runs, m, "macro_f1")),
               to_string(spread_of(c.runs, m, "mean_iou")), m.runs.size());
  fmt::print("report: {}\n", written.string());
}

void finish_comparison(const Comparison& c, const std::string& out, Call& call) {
  const RunFolder folder = RunFolder::create(out);
  call.figures.add("runs", int64_t(c.runs.size()));
  call.figures.add("methods", int64_t(c.methods.size()));
  for (const ComparedMethod& m : c.methods) {
    const Spread s = spread_of(c.runs, m, "mean_iou");
    call.figures.add(m.name + ": mean_iou", std::vector<double>{s.mean, s.deviation});
    for (const auto& [figure, value] : aims_of(c))
      if (const Spread e = epochs_until(c.runs, m, figure, value); e.n > 0)
        call.figures.add(m.name + ": epochs until " + aim_in_words(figure, value), e.mean);
  }
  report_comparison(c, folder);
}

}  // namespace kern::apps
