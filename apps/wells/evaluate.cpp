#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/wells/judge.h"
#include "apps/wells/report.h"
#include "apps/wells/source.h"
#include "apps/wells/verbs.h"
#include "kernels/common/log.h"
#include "training/task_model.h"

namespace kern::apps {

void run_evaluate(const EvaluateConfig& c, Call& call) {
  c.machine.apply();
  const WellsModel model = load_wells_model(training::find_model_file(c.model));
  model.module.move_to(c.machine.where());
  data::WellsOptions options = options_for(model, c.data, c.label.empty() ? model.label : c.label);
  options.ignore_unmapped = c.ignore_unmapped;
  options.strict = c.strict;
  const data::WellSet set = data::load_wells(options);
  for (const data::Problem& p : set.skipped) warn(to_string(p));
  const std::set<std::string> chosen =
      c.wells == WhichWells::training
          ? std::set<std::string>(model.training_wells.begin(), model.training_wells.end())
          : std::set<std::string>(model.validation_wells.begin(), model.validation_wells.end());
  data::Split split;
  for (int64_t i = 0; i < int64_t(set.wells.size()); ++i) {
    const data::Well& w = set.wells[size_t(i)];
    const bool labelled = std::any_of(w.labels.begin(), w.labels.end(), [](int l) { return l != data::kUnlabelled; });
    if (labelled && (c.wells == WhichWells::all || chosen.count(w.id))) split.validation.push_back(i);
  }
  check(!split.validation.empty(), "no labelled well to judge in ", c.data,
        c.wells == WhichWells::all ? "" : ": none has the name of a well the model was made with");
  const Judgement j = judge(model, set.wells, split.validation,
                            {.postprocess = c.after.over(model.postprocess), .keep_predictions = true});
  int commonest = 0;
  for (int k = 1; k < model.class_count(); ++k)
    if (j.matrix.support(k) > j.matrix.support(commonest)) commonest = k;
  const std::vector<Baseline> baselines = judge_baselines(model, set.wells, j, commonest);
  const training::RunFolder run = training::RunFolder::create(c.run);
  call.figures.add("wells", int64_t(split.validation.size()));
  add_figures(call.figures, j, baselines);
  write_report(run, ReportInput{.title = "Wells: evaluation of " + c.model,
                                .config = call.keys.to_yaml(),
                                .model = &model,
                                .wells = &set.wells,
                                .training = {},
                                .validation = split.validation,
                                .judgement = &j,
                                .baselines = baselines,
                                .history = {},
                                .best_epoch = 0,
                                .skipped = set.skipped,
                                .seconds = 0,
                                .tracks = c.report_wells});
  run.write_result(call.figures.to_json());
  fmt::print("{} wells: accuracy {:.4f}, macro-F1 {:.4f}, mean IoU {:.4f} ({})\nreport: {}\n", split.validation.size(),
             j.matrix.accuracy(), j.matrix.macro_f1(), j.matrix.mean_iou(), in_words(baselines),
             run.file("report.html").string());
}

}  // namespace kern::apps
