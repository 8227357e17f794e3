#include <fmt/format.h>

#include <algorithm>

#include "apps/training_run.h"
#include "apps/wells/evaluation.h"
#include "apps/wells/report.h"
#include "apps/wells/source.h"
#include "apps/wells/verbs.h"
#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "training/task_model.h"

namespace kern::apps {

void run_wells_evaluate(const EvaluateConfig& c, Call& call) {
  const training::RunFolder run = open_results(c.run, c.overwrite);
  c.machine.apply();
  const WellsModel model = load_wells_model(training::find_model_file(c.model));
  model.module.move_to(c.machine.where());
  data::WellsOptions options = options_for(model, c.data, c.label.empty() ? model.label : c.label);
  options.ignore_unmapped = c.ignore_unmapped;
  options.strict = c.strict;
  options.absent_curves = model.normalisation.mask;
  const data::WellSet set = data::load_wells(options);
  for (const data::Problem& p : set.skipped) warn(to_string(p));
  for (const data::Problem& p : set.notes) inform(to_string(p));
  std::vector<int64_t> labelled;
  std::vector<std::string> names;
  for (int64_t i = 0; i < int64_t(set.wells.size()); ++i) {
    const data::Well& w = set.wells[size_t(i)];
    if (std::all_of(w.labels.begin(), w.labels.end(), [](int l) { return l == data::kUnlabelled; })) continue;
    labelled.push_back(i);
    names.push_back(w.id);
  }
  std::vector<int64_t> evaluated;
  for (const int64_t i :
       chosen(c.wells, {model.training_wells, model.validation_wells, model.test_wells}, names, {"wells", c.data}))
    evaluated.push_back(labelled[size_t(i)]);
  const Evaluation j =
      evaluate(model, set.wells, evaluated, {.postprocess = c.after.over(model.postprocess), .keep_predictions = true});
  if (!communicator().root()) return;
  int commonest = 0;
  for (int k = 1; k < model.class_count(); ++k)
    if (j.matrix.support(k) > j.matrix.support(commonest)) commonest = k;
  const std::vector<Baseline> baselines = evaluate_baselines(model, set.wells, j, commonest);
  call.figures.add("wells", int64_t(evaluated.size()));
  add_figures(call.figures, model, j, baselines);
  const std::vector<std::string> warnings = warnings_about(model, j, baselines, false);
  for (const std::string& sentence : warnings) warn(sentence);
  call.figures.add("warnings", warnings);
  write_report(run, ReportInput{.title = "Wells: evaluation of " + c.model,
                                .config = call.keys.to_yaml(),
                                .model = &model,
                                .wells = &set.wells,
                                .training = {},
                                .validation = evaluated,
                                .evaluation = &j,
                                .baselines = baselines,
                                .warnings = warnings,
                                .history = {},
                                .best_epoch = 0,
                                .skipped = set.skipped,
                                .seconds = 0,
                                .tracks = c.report_wells});
  run.write_result(call.figures.to_json());
  fmt::print("{} wells: accuracy {:.4f}, macro-F1 {:.4f}, mean IoU {:.4f}{} ({})\nreport: {}\n", evaluated.size(),
             j.matrix.accuracy(), j.matrix.macro_f1(), j.matrix.mean_iou(), penalty_in_words(model, j.matrix),
             in_words(baselines), run.file("report.html").string());
}

}  // namespace kern::apps
