#include "apps/wells/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "apps/build_info.h"
#include "apps/wells/baselines.h"
#include "apps/wells/source.h"
#include "apps/wells/verbs.h"
#include "training/report/segmentation_report.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
using namespace training;

ComparisonRules rules() { return comparison_rules("wells"); }

// A run, evaluated again by its model on the wells that validated it.
struct Evaluated {
  ComparedRun run;
  WellsModel model;
  Evaluation evaluation;
  std::shared_ptr<const data::WellSet> set;
  std::vector<Baseline> baselines;
};

// Wells as a run read them; read once for all runs that read them equally.
class Sources {
 public:
  std::shared_ptr<const data::WellSet> of(const TrainConfig& c, const WellsModel& model) {
    data::WellsOptions o = c.data.options();
    const data::WellsOptions coded = options_for(model, c.data.path, model.label);
    o.codes = coded.codes, o.classes = coded.classes, o.step = coded.step, o.step_unit = coded.step_unit;
    std::string key = text(o.path.string(), '|', o.label, '|', o.step, o.step_unit, '|', o.classes, '|',
                           o.ignore_unmapped, o.require_curves, o.well_column, '|', o.depth_column);
    for (const std::string& curve : o.curves) key += '|' + curve;
    for (const auto& [code, index] : o.codes) key += text('|', code, '=', index);
    for (double v : o.null_values) key += text('|', v);
    auto& set = read_[key];
    if (!set) set = std::make_shared<const data::WellSet>(data::load_wells(o));
    return set;
  }

 private:
  std::map<std::string, std::shared_ptr<const data::WellSet>> read_;
};

Evaluated evaluate_run(const std::string& folder, const std::string& data, Sources& sources) {
  TrainConfig c;
  Schema keys("wells train");
  describe_train(keys, c);
  ComparedRun run = read_finished_run(folder, "wells", keys);
  if (!data.empty()) c.data.path = data;
  WellsModel model = load_wells_model(training::find_model_file(folder));
  auto set = sources.of(c, model);
  std::vector<int64_t> which;
  for (const std::string& id : model.validation_wells) {
    const auto at = std::ranges::find(set->wells, id, &data::Well::id);
    check(at != set->wells.end(), "the well ", id, ", which validated ", folder, ", is not in ", c.data.path,
          " any more: give the data of the runs as data=");
    which.push_back(at - set->wells.begin());
  }
  Evaluation j = evaluate(model, set->wells, which, {.postprocess = c.postprocess, .keep_predictions = true});
  set_evaluation(run, j.matrix, model.validation_wells, "labelled_wells", int64_t(model.training_wells.size()));
  int commonest = 0;
  for (int k = 1; k < model.class_count(); ++k)
    if (j.matrix.support(k) > j.matrix.support(commonest)) commonest = k;
  std::vector<Baseline> baselines = evaluate_baselines(model, set->wells, j, commonest);
  return {std::move(run), std::move(model), std::move(j), std::move(set), std::move(baselines)};
}

// The baselines of each method's runs; methods that share their labelled wells share their baselines, which stand once.
void add_baselines(Comparison& c, const std::vector<Evaluated>& all) {
  std::set<std::string> seen;
  for (const ComparedMethod& m : c.methods)
    for (size_t b = 0; b < all[m.runs[0]].baselines.size(); ++b) {
      std::vector<ConfusionMatrix> matrices;
      std::string counts;
      for (size_t i : m.runs)
        for (const Baseline& of : all[i].baselines) {
          if (of.key != all[m.runs[0]].baselines[b].key) continue;
          const ConfusionMatrix& matrix = of.matrix;
          if (const std::string own = matrix.counts_csv(); counts.find(own) == counts.npos) {
            counts += own;  // seeds do not change it
            matrices.push_back(matrix);
          }
        }
      if (!seen.insert(counts).second) continue;
      std::string name = all[m.runs[0]].baselines[b].name;
      if (b > 0) name += fmt::format(", {} labelled wells", all[m.runs[0]].run.labelled);
      c.baselines.emplace_back(name, std::move(matrices));
    }
}

const EvaluatedWell* find(const Evaluated& j, const std::string& id) {
  for (const EvaluatedWell& w : j.evaluation.wells)
    if (j.set->wells[size_t(w.well)].id == id) return &w;
  return nullptr;
}

// Wells that the last method changed most for the worse and for the better, and one between.
void add_tracks(Comparison& c, const std::vector<Evaluated>& all, int wanted) {
  constexpr size_t kMaxMethods = 6;
  const Evaluated& first = all[c.methods[0].runs[0]];
  const Evaluated& last = all[c.methods.back().runs[0]];
  std::vector<double> change;
  for (const EvaluatedWell& w : first.evaluation.wells) {
    const EvaluatedWell* other = find(last, first.set->wells[size_t(w.well)].id);
    change.push_back(other ? (c.methods.size() > 1 ? other->accuracy - w.accuracy : w.accuracy) : NAN);
  }
  const size_t drawn = size_t(std::max(0, wanted)), third = drawn / 3;
  for (const auto& [i, why] : choose_wells(change, third, drawn - 2 * third, third)) {
    const EvaluatedWell& w = first.evaluation.wells[i];
    const data::Well& well = first.set->wells[size_t(w.well)];
    if (std::isnan(change[i])) continue;
    WellTrack t{.id = well.id,
                .depth_unit = well.depth_unit,
                .depth = well.depth,
                .curves = {},
                .truth = well.labels,
                .prediction = {},
                .probabilities = {}};
    for (const data::Curve& curve : well.curves) t.curves.push_back({curve.name, curve.unit, curve.values});
    std::string caption;
    for (size_t m = 0; m < std::min(kMaxMethods, c.methods.size()); ++m) {
      const EvaluatedWell* own = find(all[c.methods[m].runs[0]], well.id);
      if (!own || own->prediction.size() != well.labels.size()) continue;
      t.others.push_back({fmt::format("{}", m + 1), own->prediction});
      caption += fmt::format("{}{}: accuracy {:.3f}", caption.empty() ? "" : "; ", m + 1, own->accuracy);
    }
    const std::string name = c.methods.size() > 1 ? fmt::format("{}, {:+.3f}", well.id, change[i]) : well.id;
    c.panels.push_back({name, log_tracks(t, first.model.classes, {.most_curves = 4}), caption});
  }
}

Comparison compare(const CompareConfig& config) {
  Sources sources;
  std::vector<Evaluated> all;
  Comparison c;
  c.reach = config.reach;
  for (const std::string& folder : config.runs) {
    all.push_back(evaluate_run(folder, config.data, sources));
    c.runs.push_back(all.back().run);
  }
  group(c, rules());
  add_baselines(c, all);
  add_tracks(c, all, config.shown);
  c.facts = {{"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
             {"Evaluated", "the best model of each run, again, on the wells that validated it"},
             {"Data", "hash " + hash_of(all[0].set->wells)}};
  return c;
}

}  // namespace

void describe_compare(Schema& keys, CompareConfig& c) { describe_comparison(keys, c, "wells"); }

void run_compare(const CompareConfig& config, Call& call) {
  config.machine.apply();
  finish_comparison(compare(config), config.out, call);
}

void run_wells_study(const StudyConfig& config, Call& call) {
  run_study(config,
            {.command = "wells train",
             .train = verb<TrainConfig>("train", "", describe_train, run_wells_train),
             .rules = rules(),
             .figures = {"accuracy", "macro_f1", "mean_iou", "logistic_mean_iou"},
             .compare = [](const std::vector<std::string>& runs,
                           const RunFolder& out) { report_comparison(compare({.runs = runs}), out); }},
            call);
}

}  // namespace kern::apps
