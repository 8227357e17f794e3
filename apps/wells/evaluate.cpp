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
  const std::set<std::string> trained(model.training_wells.begin(), model.training_wells.end()),
      validated(model.validation_wells.begin(), model.validation_wells.end());
  const auto wanted = [&](const data::Well& w) {
    switch (c.wells) {
      case WhichWells::unseen:
        return !trained.count(w.id);
      case WhichWells::training:
        return trained.count(w.id) > 0;
      case WhichWells::validation:
        return validated.count(w.id) > 0;
      case WhichWells::all:
        return true;
    }
    return false;
  };
  data::Split split;
  int64_t left_out = 0;
  for (int64_t i = 0; i < int64_t(set.wells.size()); ++i) {
    const data::Well& w = set.wells[size_t(i)];
    const bool labelled = std::any_of(w.labels.begin(), w.labels.end(), [](int l) { return l != data::kUnlabelled; });
    if (!labelled) continue;
    if (wanted(w)) split.validation.push_back(i);
    else ++left_out;
  }
  check(!split.validation.empty() || left_out == 0, "all ", left_out, " labelled wells of ", c.data,
        c.wells == WhichWells::unseen
            ? " trained this model: what it says of them says nothing about new wells. Give other wells, or "
              "wells=training to "
              "see how well it learned these"
            : " have other names than those the model was made with: give wells=unseen or wells=all");
  check(!split.validation.empty(), "no labelled well to judge in ", c.data);
  if (c.wells == WhichWells::unseen && left_out > 0)
    inform(left_out, " wells of ", c.data, " trained this model and are left out (wells=all judges them too)");
  if (c.wells == WhichWells::all) {
    const auto seen = std::count_if(split.validation.begin(), split.validation.end(),
                                    [&](int64_t i) { return trained.count(set.wells[size_t(i)].id) > 0; });
    if (seen > 0)
      warn(seen, " of these ", split.validation.size(),
           " wells trained this model: the figures are better than those of new wells (wells=unseen leaves them out)");
  }
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
