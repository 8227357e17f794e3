#include "apps/wells/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/build_info.h"
#include "apps/wells/source.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/parallel.h"
#include "training/progress.h"
#include "training/report/segmentation_report.h"

namespace kern::apps {
namespace {
using namespace training;

SplitCounts split_counts(const std::string& name, const std::vector<data::Well>& wells,
                         const std::vector<int64_t>& which, int64_t classes) {
  SplitCounts s{
      .name = name, .items = int64_t(which.size()), .class_samples = std::vector<int64_t>(size_t(classes), 0)};
  for (int64_t i : which) {
    const data::Well& w = wells[size_t(i)];
    s.samples += w.length();
    for (int label : w.labels)
      if (label != data::kUnlabelled) ++s.labelled, ++s.class_samples[size_t(label)];
  }
  return s;
}

double mean_iou_of(const data::Well& w, const std::vector<int>& prediction, const ClassList& classes) {
  ConfusionMatrix m(classes);
  for (size_t i = 0; i < prediction.size() && !w.labels.empty(); ++i)
    if (w.labels[i] != data::kUnlabelled) m.add(w.labels[i], prediction[i]);
  return m.total() > 0 ? m.mean_iou() : NAN;
}

WellTrack track_of(const data::Well& w, const EvaluatedWell& j) {
  WellTrack t{.id = w.id,
              .depth_unit = w.depth_unit,
              .depth = w.depth,
              .curves = {},
              .truth = w.labels,
              .prediction = j.prediction,
              .probabilities = j.probabilities};
  for (const data::Curve& c : w.curves) t.curves.push_back({c.name, c.unit, c.values});
  return t;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : ", ") + w;
  return out;
}

std::vector<std::pair<std::string, std::string>> facts_of(const ReportInput& in) {
  std::string rows;
  for (const auto& [op, row] : kernels::impls_used()) rows += (rows.empty() ? "" : ", ") + op + "=" + row;
  std::vector<std::string> curves;
  for (const data::CurveScale& c : in.model->normalisation.curves)
    curves.push_back(
        fmt::format("{}: ({}{} - {:g}) / {:g}", c.name, c.log10 ? "log10 " : "", c.name, c.offset, c.scale));
  std::vector<std::pair<std::string, std::string>> facts{
      {"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
      {"Device", fmt::format("cpu, {} threads", thread_count())},
      {"Kernel rows that served", rows},
      {"Model", fmt::format("{}, {} parameters", in.model->architecture, in.model->module.parameter_count())},
      {"Inputs", joined(curves) + (in.model->normalisation.mask ? ", and a mask per curve" : "")},
      {"Made by", in.model->provenance},
      {"Data", "hash " + hash_of(*in.wells)},
      {"Validation wells", joined(in.model->validation_wells)}};
  add_costs(facts, in.foreseen, in.seconds);
  return facts;
}

}  // namespace

void write_report(const RunFolder& run, const ReportInput& in) {
  const std::vector<data::Well>& wells = *in.wells;
  const ClassList& classes = in.model->classes;
  SegmentationReport r{.title = in.title,
                       .subtitle = in.model->architecture + (in.method.empty() ? "" : ", " + in.method),
                       .configuration = in.config,
                       .facts = facts_of(in),
                       .remarks = {},
                       .splits = {},
                       .history = {},
                       .losses = {in.loss, kCrossEntropy},
                       .best_epoch = in.best_epoch,
                       .validation = in.evaluation->matrix,
                       .intervals = intervals_of(in.evaluation->tallies),
                       .comparison = {},
                       .wells = {},
                       .tracks = {}};
  for (const std::string& warning : in.warnings) r.remarks.push_back("Warning: " + warning + ".");
  for (const data::Problem& p : in.skipped) r.remarks.push_back(to_string(p));
  if (!in.training.empty()) r.splits.push_back(split_counts("training", wells, in.training, in.model->class_count()));
  if (!in.unlabelled.empty()) {
    SplitCounts s = split_counts("unlabelled", wells, in.unlabelled, in.model->class_count());
    s.labelled = 0, s.class_samples.assign(s.class_samples.size(), 0);  // whatever labels are hidden there
    r.splits.push_back(std::move(s));
  }
  r.splits.push_back(
      split_counts(in.training.empty() ? "evaluated" : "validation", wells, in.validation, in.model->class_count()));
  for (const EpochRecord& e : in.history) r.history.push_back(epoch_figures(e));
  for (const Baseline& b : in.baselines) r.comparison.push_back({b.name, b.matrix});
  std::vector<double> accuracy;
  for (const EvaluatedWell& j : in.evaluation->wells) {
    const data::Well& w = wells[size_t(j.well)];
    const int64_t labelled =
        std::count_if(w.labels.begin(), w.labels.end(), [](int l) { return l != data::kUnlabelled; });
    r.wells.push_back(
        {w.id, w.length(), labelled, labelled > 0 ? j.accuracy : NAN, mean_iou_of(w, j.prediction, classes)});
    accuracy.push_back(r.wells.back().accuracy);
  }
  const size_t drawn = size_t(std::max(0, in.tracks)), best = drawn / 4, median = drawn / 4;
  for (const auto& [i, why] : choose_wells(accuracy, drawn - best - median, median, best))
    r.tracks.emplace_back(why, track_of(wells[size_t(in.evaluation->wells[i].well)], in.evaluation->wells[i]));
  write_segmentation_report(run.path(), r);
}

std::string penalty_in_words(const WellsModel& model, const ConfusionMatrix& matrix) {
  return model.penalty ? fmt::format(", penalty score {:.4f}", penalty_score(*model.penalty, matrix)) : "";
}

namespace {
// What to do about a baseline that is right more often.
std::string advice_on(const Baseline& b, const WellsModel& model, bool class_weights) {
  const char* const corrected = !model.network.on_base ? "" : model.on_boosting ? "boosting" : "logistic";
  if (b.key != "majority" && b.key != corrected)
    return ": residual_on=" + b.key + " lets the network begin as good as it";
  if (class_weights)
    return ": class_weights= buys rare classes with the common ones; compare with class_weights=none, or take the "
           "network for its macro-F1 alone";
  if (b.key == corrected) return ", which it corrects: fewer epochs or a smaller lr= may leave it more of that";
  return ": it has learnt too little, or knows its training wells by heart";
}
}  // namespace

std::vector<std::string> warnings_about(const WellsModel& model, const Evaluation& j,
                                        const std::vector<Baseline>& baselines, bool class_weights) {
  std::vector<std::string> out;
  const double own = j.matrix.accuracy();
  for (const Baseline& b : baselines)
    if (const double other = b.matrix.accuracy(); j.matrix.total() > 0 && own < other)
      out.push_back(fmt::format("the network is right less often (accuracy {:.3f}) than {} ({:.3f}){}", own, b.name,
                                other, advice_on(b, model, class_weights)));
  return out;
}

void add_figures(Figures& figures, const WellsModel& model, const Evaluation& j,
                 const std::vector<Baseline>& baselines) {
  figures.add("loss", j.loss);
  figures.add("accuracy", j.matrix.accuracy());
  figures.add("macro_f1", j.matrix.macro_f1());
  figures.add("mean_iou", j.matrix.mean_iou());
  if (model.penalty) figures.add("penalty_score", penalty_score(*model.penalty, j.matrix));
  const MatrixIntervals intervals = intervals_of(j.tallies);
  figures.add("accuracy_interval", ends_of(intervals.accuracy));
  figures.add("macro_f1_interval", ends_of(intervals.macro_f1));
  figures.add("mean_iou_interval", ends_of(intervals.mean_iou));
  std::vector<double> iou, f1;
  for (int64_t k = 0; k < j.matrix.class_count(); ++k) iou.push_back(j.matrix.iou(k)), f1.push_back(j.matrix.f1(k));
  figures.add("class_iou", iou);
  figures.add("class_f1", f1);
  for (const Baseline& b : baselines) {
    figures.add(b.key + "_accuracy", b.matrix.accuracy());
    figures.add(b.key + "_macro_f1", b.matrix.macro_f1());
    figures.add(b.key + "_mean_iou", b.matrix.mean_iou());
    if (model.penalty) figures.add(b.key + "_penalty_score", penalty_score(*model.penalty, b.matrix));
  }
}

}  // namespace kern::apps
