#include "apps/faults/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/build_info.h"
#include "data/image_draw.h"
#include "data/seismic_image.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/parallel.h"
#include "training/intervals.h"
#include "training/progress.h"
#include "training/report/charts.h"
#include "training/report/report.h"
#include "training/report/segmentation_report.h"

namespace kern::apps {
namespace {
using namespace training;

constexpr int64_t kCell = 288;

void add_training(Report& report, const FaultsReport& in) {
  auto& document = report.document();
  document.section("Training");
  LineChart chart{.title = "Loss", .x_label = "epoch", .y_label = "", .x = {}, .series = {}, .best_label = ""};
  if (in.best_epoch > 0) chart.best_x = in.best_epoch, chart.best_label = fmt::format("best: epoch {}", in.best_epoch);
  Series trained{"training", {}, "#e69f00", Series::Mark::dots};
  std::vector<Series> validated{{"validation", {}, "#2f86c8", Series::Mark::line},
                                {"average precision", {}, "#2f86c8", Series::Mark::line},
                                {"best F1", {}, "#009e73", Series::Mark::line},
                                {"Tol-IoU@2", {}, "#d55e00", Series::Mark::line}};
  for (const EpochRecord& e : in.history) {
    chart.x.push_back(e.epoch);
    trained.values.push_back(e.train_loss);
    for (size_t i = 0; i < validated.size(); ++i)
      validated[i].values.push_back(i < e.figures.size() ? e.figures[i].second : std::nan(""));
  }
  document.begin_row();
  chart.title = "Training loss";
  chart.series = {trained};
  report.figure("training_loss", line_chart(chart), "Mean of each epoch: the loss of the configuration.");
  chart.title = "Validation loss";
  chart.series = {validated[0]};
  report.figure("loss", line_chart(chart), "Not on the scale of the training loss: plain binary cross entropy.");
  document.end_row();
  document.begin_row();
  chart.title = "Validation figures";
  chart.series = {validated.begin() + 1, validated.end()};
  report.figure("validation", line_chart(chart), "On the same sections after every epoch; no training section is one.");
  document.end_row();
}

std::vector<std::pair<std::string, std::string>> facts_of(const FaultsReport& in) {
  std::string rows;
  for (const auto& [op, row] : kernels::impls_used()) rows += (rows.empty() ? "" : ", ") + op + "=" + row;
  const FaultsModel& m = *in.model;
  std::vector<std::pair<std::string, std::string>> facts{
      {"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
      {"Device", m.module.device() == Device::cpu ? fmt::format("cpu, {} threads", thread_count()) : "cuda"},
      {"Kernel rows that served", rows},
      {"Model", fmt::format("{}, {} parameters", m.architecture, m.module.parameter_count())},
      {"An answer depends on", fmt::format("{} samples to either side", m.reach)},
      {"Made by", m.provenance}};
  add_costs(facts, in.foreseen, in.seconds);
  return facts;
}

}  // namespace

std::optional<Interval> tolerant_interval(const FaultsEvaluation& j) {
  return bootstrap(int64_t(j.sections.size()), [&](std::span<const int64_t> which) {
    TolerantAgreement all(2);
    for (const int64_t i : which) all.merge(j.sections[size_t(i)]);
    return all.iou();
  });
}

Svg precision_over_recall(const PrecisionRecall& curve, const std::string& name) {
  LineChart chart{.title = "Precision and recall",
                  .x_label = "recall",
                  .y_label = "precision",
                  .x = {},
                  .series = {{name, {}, "#2f86c8", Series::Mark::line}},
                  .best_label = "",
                  .from_zero = true};
  double last = -1;
  for (int i = 200; i >= 0; --i) {
    const PrecisionRecall::Point p = curve.at(double(i) / 200);
    if (!(p.recall > last)) continue;
    chart.x.push_back(last = p.recall);
    chart.series[0].values.push_back(p.precision);
  }
  return line_chart(chart);
}

Svg panel_of(const LabelledSection& s, const std::vector<std::span<const float>>& probabilities) {
  const int64_t traces = s.size.crosslines, samples = s.size.samples;
  const data::Image grey = data::seismic_image(middle_of(s, s.inputs), traces, samples, 0, 1);
  std::vector<float> truth;
  for (const int32_t label : middle_of(s, s.labels)) truth.push_back(label > 0 ? 1.0f : 0.0f);
  std::vector<data::Image> cells{data::in_colours(grey), data::with_faults(grey, truth, traces, samples)};
  for (const std::span<const float> p : probabilities)
    cells.push_back(data::with_faults(
        grey, p.subspan(size_t(s.size.index(s.size.inlines / 2, 0, 0)), size_t(traces * samples)), traces, samples));
  const size_t columns = cells.size() <= 4 ? cells.size() : (cells.size() + 1) / 2;
  const data::Image sheet = data::sheet(cells, int(columns), kCell);
  Svg svg{double(sheet.W), double(sheet.H)};
  svg.image(0, 0, double(sheet.W), double(sheet.H), data::encode_png(sheet), s.name);
  return svg;
}

void write_report(const RunFolder& run, const FaultsReport& in) {
  const FaultsEvaluation& j = *in.evaluation;
  Report report(run.path(), in.title, in.model->architecture);
  auto& document = report.document();
  document.section("Summary");
  std::vector<std::pair<std::string, std::string>> key{
      {"average precision", fmt::format("{:.3f}", j.curve.average_precision())},
      {with_interval("Tol-IoU@2, thinned", tolerant_interval(j)), fmt::format("{:.3f}", j.tolerant.iou())},
      {fmt::format("F1 from {:.2f} on", j.point.threshold), fmt::format("{:.3f}", j.point.f1())},
      {"sections", fmt::format("{}", in.sections->size())}};
  if (in.best_epoch > 0)
    key.emplace_back("best epoch",
                     fmt::format("{} of {}", in.best_epoch, in.history.empty() ? 0 : in.history.back().epoch));
  document.key_figures(key);
  document.paragraph(
      "Average precision asks for the very sample; Tol-IoU@2 thins the prediction to one sample and forgives a fault "
      "that is off by two. In brackets: what 95 % of 1000 resamples of the sections come to (bootstrap).");
  for (const std::string& s : in.skipped) document.note(s);
  if (j.curve.positives() == 0) document.note("No sample is labelled as a fault: nothing could be measured.");
  if (!in.history.empty()) add_training(report, in);
  document.section("Precision and recall");
  report.figure("precision_recall", precision_over_recall(j.curve, in.model->architecture),
                fmt::format("Sample by sample; {:.2f} % of the samples are labelled. After thinning and with two "
                            "samples' tolerance: precision {:.3f}, recall {:.3f}.",
                            100 * double(j.curve.positives()) / double(std::max<int64_t>(1, j.curve.count())),
                            j.tolerant.precision(), j.tolerant.recall()));
  document.section("Sections");
  const auto drawn = size_t(std::max(0, in.drawn)), few = drawn / 4;
  std::vector<HtmlDocument::Panel> panels;
  for (const auto& [i, why] : choose_wells(j.agreement, drawn - 2 * few, few, few)) {
    const LabelledSection& s = (*in.sections)[i];
    panels.push_back({fmt::format("{}: {}", why, s.name), panel_of(s, {j.probabilities[i]}),
                      fmt::format("Tol-IoU@2 {:.3f}. From left to right: section, its labels, the probability from "
                                  "{} on.",
                                  j.agreement[i], data::kClearBelow)});
  }
  if (!panels.empty()) document.panels("Section", panels);
  add_provenance(report, facts_of(in), in.config);
  report.write();
}

void add_figures(Figures& figures, const FaultsEvaluation& j) {
  figures.add("loss", j.loss);
  figures.add("average_precision", j.curve.average_precision());
  figures.add("threshold", j.point.threshold);
  figures.add("f1", j.point.f1());
  figures.add("precision", j.point.precision);
  figures.add("recall", j.point.recall);
  figures.add("tol_iou", j.tolerant.iou());
  figures.add("tol_iou_interval", ends_of(tolerant_interval(j)));
  figures.add("tol_precision", j.tolerant.precision());
  figures.add("tol_recall", j.tolerant.recall());
}

std::string summary_of(const FaultsEvaluation& j) {
  return fmt::format("average precision {:.4f}, F1 {:.4f} from {:.2f} on, Tol-IoU@2 {:.4f}",
                     j.curve.average_precision(), j.point.f1(), j.point.threshold, j.tolerant.iou());
}

}  // namespace kern::apps
