#include <fmt/format.h>

#include <cmath>

#include "apps/anomalies/report.h"
#include "apps/anomalies/verbs.h"
#include "apps/training_run.h"
#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "training/task_model.h"

namespace kern::apps {

void run_anomalies_evaluate(const AnomaliesEvaluateConfig& c, Call& call) {
  const training::RunFolder run = open_results(c.run, c.overwrite);
  c.machine.apply();
  const AnomaliesModel model = load_anomalies_model(training::find_model_file(c.model));
  model.threshold_of({});  // says what to do where there is none
  model.module.move_to(c.machine.where());
  AnomaliesData data = c.data;
  data.grey = model.chain.channels == 1;
  const AnomaliesSource source = read_source(data);
  warn_of_skipped(source);
  std::vector<int64_t> known, which;
  std::vector<std::string> names;
  for (size_t i = 0; i < source.set.images.size(); ++i)
    if (const data::AnomalyImage& p = source.set.images[i]; p.truth != data::Truth::unknown) {
      known.push_back(int64_t(i));
      names.push_back(p.id);
    }
  for (const int64_t i : chosen(c.images, {model.training_images, model.validation_images, model.test_images}, names,
                                {"images", c.data.path}))
    which.push_back(known[size_t(i)]);
  const AnomaliesEvaluation j = evaluate(model, source, which, {.quiet = false, .title = "evaluate"});
  if (!communicator().root()) return;
  call.figures.add("rule", model.rule);
  call.figures.add("threshold", *model.threshold);
  std::vector<std::string> rules;
  for (const training::RuleResult& r : model.rules) rules.push_back(r.rule);
  call.figures.add("rules", rules);
  add_figures(call.figures, model, j);
  const training::Scores s = j.scores();
  const AlarmsSeen seen = alarms_seen(model, s);
  std::vector<std::string> warnings;
  if (!seen.warning.empty()) warnings.push_back(seen.warning);
  call.figures.add("warnings", warnings);
  run.write("scores.csv", scores_csv(source, {{"evaluated", j}}));
  write_report(run, AnomaliesReport{.title = "Anomalies: evaluation of " + c.model,
                                    .config = call.keys.to_yaml(),
                                    .model = &model,
                                    .source = &source,
                                    .evaluation = &j,
                                    .evaluated = "evaluated",
                                    .training = int64_t(model.training_images.size()),
                                    .warnings = warnings,
                                    .suspects = {},
                                    .level = c.level,
                                    .history = {},
                                    .images = c.report_images});
  run.write_result(call.figures.to_json());
  const training::Rates r = training::rates_at(s, *model.threshold);
  auto shown = [](double v) { return std::isnan(v) ? std::string("unknown") : fmt::format("{:.4f}", v); };
  fmt::print("{} good images, {} anomalies: AUROC {}, TPR {}, TNR {}\n", s.normal.size(), s.anomalous.size(),
             shown(training::area_under_roc(s)), shown(r.true_positive), shown(r.true_negative));
  if (!seen.sentence.empty()) fmt::print("{}\n", seen.sentence);
  if (!seen.warning.empty()) warn(seen.warning);
  if (j.regions > 0)
    fmt::print("{} regions of defects: pixel AUROC {}, PRO {}\n", j.regions, shown(j.pixel_auroc),
               shown(j.region_overlap));
  fmt::print("report: {}\n", run.file("report.html").string());
}

}  // namespace kern::apps
