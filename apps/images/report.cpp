#include "apps/images/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/build_info.h"
#include "apps/images/source.h"
#include "data/image_draw.h"
#include "engine/atomic_file.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/parallel.h"
#include "training/progress.h"
#include "training/report/log_tracks.h"
#include "training/report/segmentation_report.h"

namespace kern::apps {
namespace {
using namespace training;

constexpr int64_t kPanelCell = 224;
constexpr size_t kMaxEpochPanels = 20;

SplitCounts split_counts(const std::string& name, const data::ImageStore& store, const std::vector<int64_t>& which,
                         bool seen = true) {
  SplitCounts s{.name = name, .items = int64_t(which.size()), .class_samples = data::class_counts(store, which)};
  if (!seen) std::fill(s.class_samples.begin(), s.class_samples.end(), 0);  // hidden masks
  for (const int64_t i : which) s.samples += store.images()[size_t(i)].H * store.images()[size_t(i)].W;
  for (const int64_t n : s.class_samples) s.labelled += n;
  return s;
}

// Appends the image, its truth, and what each model says of it; of a single one also where it is wrong.
void add_cells(std::vector<data::Image>& cells, std::span<const Opinion> opinions, const InferenceOptions& inference) {
  const auto loaded = opinions[0].store->get(opinions[0].image);
  const std::vector<data::Rgb> palette = palette_of(class_list(opinions[0].model->classes));
  cells.push_back(data::in_colours(data::at_most(loaded->image, kPanelCell)));
  const int64_t H = cells.back().H, W = cells.back().W;
  const auto add = [&](const data::Labels& labels) {
    cells.push_back(data::coloured(data::resize_nearest(labels, H, W), palette));
  };
  const data::Image image = cells.back();
  add(loaded->labels);
  for (const Opinion& o : opinions) {
    const data::Labels predicted = predict_labels(*o.model, o.store->get(o.image)->image, inference);
    add(predicted);
    if (opinions.size() == 1)
      cells.push_back(data::mistakes(image, data::resize_nearest(loaded->labels, H, W),
                                     data::resize_nearest(predicted, H, W), o.model->class_count() == 2));
  }
}

constexpr const char* kErrorWords = "where it is wrong (green: found, orange: found wrongly, blue: missed)";
constexpr const char* kErrorWordsOfMany = "where it is wrong (orange)";

// Those that did worst, with their sizes; images.csv has all.
void add_table(Report& report, const ImagesReport& in) {
  constexpr size_t kMaxRows = 50;
  std::vector<const EvaluatedImage*> order;
  for (const EvaluatedImage& p : in.evaluation->images) order.push_back(&p);
  const auto rank = [](const EvaluatedImage* p) { return std::isnan(p->mean_iou) ? 2.0 : p->mean_iou; };
  std::stable_sort(order.begin(), order.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
  const ClassList& classes = in.evaluation->matrix.classes();
  const bool binary = classes.size() == 2;
  HtmlTable table;
  table.columns = {{"image"}, {"width x height"}, {"labelled pixels", true}, {"mean IoU", true}, {"accuracy", true}};
  if (binary) table.columns.push_back({"IoU of " + classes[1].name, true});
  for (size_t i = 0; i < std::min(kMaxRows, order.size()); ++i) {
    const EvaluatedImage& p = *order[i];
    const data::ImageFacts& facts = in.store->facts()[size_t(p.image)];
    table.rows.push_back({{in.store->images()[size_t(p.image)].id, {}, {}},
                          {fmt::format("{} x {}", facts.W, facts.H), {}, {}},
                          count_cell(p.labelled),
                          figure_cell(p.mean_iou),
                          figure_cell(p.accuracy)});
    if (binary) table.rows.back().push_back(figure_cell(p.iou[1]));
  }
  table.caption = order.size() > kMaxRows
                      ? fmt::format("The {} worst of {}; images.csv has all.", kMaxRows, order.size())
                      : "The worst first; images.csv has the same.";
  report.document().subsection("Image by image");
  report.document().table(table);
}

// The epochs that are drawn, no more than so many, the first, the best and the last among them.
std::vector<int> epochs_drawn(const RunFolder& run, const ImagesReport& in) {
  std::vector<int> there;
  for (const EpochRecord& e : in.history)
    if (std::filesystem::exists(run.file(panel_name(e.epoch)))) there.push_back(e.epoch);
  if (there.size() <= kMaxEpochPanels) return there;
  std::vector<int> chosen;
  for (size_t i = 0; i < there.size(); ++i) {
    const size_t step = i * (kMaxEpochPanels - 2) / (there.size() - 1);
    if (i == 0 || i + 1 == there.size() || there[i] == in.best_epoch ||
        step != (i - 1) * (kMaxEpochPanels - 2) / (there.size() - 1))
      chosen.push_back(there[i]);
  }
  return chosen;
}

void add_images(Report& report, const RunFolder& run, const ImagesReport& in) {
  auto& document = report.document();
  document.section("Images");
  document.figure(class_legend(in.evaluation->matrix.classes()), "");
  const char* const errors = in.model->class_count() == 2 ? kErrorWords : kErrorWordsOfMany;
  std::vector<HtmlDocument::Panel> panels;
  size_t best_panel = 0;
  for (const int epoch : epochs_drawn(run, in)) {
    const std::string name = fmt::format("epoch {}{}", epoch, epoch == in.best_epoch ? " (best)" : "");
    if (epoch == in.best_epoch) best_panel = panels.size();
    panels.push_back({name, image_of(read_file(run.file(panel_name(epoch))), name),
                      fmt::format("From left to right: image, truth, prediction, {}.", errors)});
  }
  if (!panels.empty()) {
    document.subsection("Epoch by epoch");
    document.panels("Epoch", panels, HtmlDocument::Choice::slider, best_panel);
  }
  std::vector<double> accuracy;
  for (const EvaluatedImage& j : in.evaluation->images) accuracy.push_back(j.mean_iou);
  const size_t drawn = size_t(std::max(0, in.images)), best = drawn / 4, median = drawn / 4;
  panels.clear();
  for (const auto& [i, why] : choose_wells(accuracy, drawn - best - median, median, best)) {
    const int64_t image = in.evaluation->images[i].image;
    const std::string name = fmt::format("{}: {}", why, in.store->images()[size_t(image)].id);
    const int64_t one[] = {image};
    panels.push_back({name, image_of(panel_png(*in.model, *in.store, one, in.inference), name),
                      fmt::format("Mean IoU {:.3f}, accuracy {:.3f}. From left to right: image, truth, prediction, {}.",
                                  in.evaluation->images[i].mean_iou, in.evaluation->images[i].accuracy, errors)});
  }
  if (panels.empty()) return;
  document.subsection("Worst, median and best by mean IoU");
  document.panels("Image", panels);
}

std::vector<std::pair<std::string, std::string>> facts_of(const ImagesReport& in) {
  std::string rows;
  for (const auto& [op, row] : kernels::impls_used()) rows += (rows.empty() ? "" : ", ") + op + "=" + row;
  const ImagesModel& m = *in.model;
  std::vector<std::pair<std::string, std::string>> facts{
      {"Kern", fmt::format("{} ({}, {})", build_info::kVersion, build_info::kBuildType, build_info::kCompiler)},
      {"Device", m.module.device() == Device::cpu ? fmt::format("cpu, {} threads", thread_count()) : "cuda"},
      {"Kernel rows that served", rows},
      {"Model", fmt::format("{}, {} parameters", m.architecture, m.module.parameter_count())},
      {"Input", fmt::format("{} x {} (height x width), {}", m.H, m.W,
                            m.fit == data::Fit::crop ? "parts of images"
                            : m.own_size             ? "the images' own size"
                                                     : "images scaled as a whole")},
      {"Made by", m.provenance},
      {"Data", "hash " + hash_text(in.store->hash())}};
  add_costs(facts, in.foreseen, in.seconds);
  return facts;
}

// One line an image: its size, the labelled pixels, and the figures over them; what is not defined is empty.
std::string images_csv(const ImagesReport& in) {
  std::string out = "image,height,width,labelled_pixels,accuracy,mean_iou";
  for (const ClassInfo& k : in.evaluation->matrix.classes()) out += "," + csv_field("IoU " + k.name);
  const auto figure = [](double v) { return std::isnan(v) ? std::string(",") : fmt::format(",{:.6g}", v); };
  for (const EvaluatedImage& p : in.evaluation->images) {
    const data::ImageFacts& facts = in.store->facts()[size_t(p.image)];
    out +=
        fmt::format("\n{},{},{},{}", csv_field(in.store->images()[size_t(p.image)].id), facts.H, facts.W, p.labelled);
    out += figure(p.accuracy) + figure(p.mean_iou);
    for (const double iou : p.iou) out += figure(iou);
  }
  return out + "\n";
}

}  // namespace

std::string panel_name(int epoch) { return training::panel_file(epoch); }

std::string opinions_png(std::span<const Opinion> opinions, const InferenceOptions& inference) {
  std::vector<data::Image> cells;
  add_cells(cells, opinions, inference);
  return data::encode_png(data::sheet(cells, int(cells.size()), kPanelCell));
}

std::string panel_png(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                      const InferenceOptions& inference) {
  std::vector<data::Image> cells;
  for (const int64_t i : which) {
    const Opinion one[] = {{&model, &store, i}};
    add_cells(cells, one, inference);
  }
  return data::encode_png(data::sheet(cells, 4, kPanelCell));
}

void write_report(const RunFolder& run, const ImagesReport& in) {
  const ConfusionMatrix& m = in.evaluation->matrix;
  Report report(run.path(), in.title,
                in.method.empty() ? in.model->architecture : in.model->architecture + ", " + in.method);
  auto& document = report.document();
  document.section("Summary");
  const MatrixIntervals intervals = intervals_of(in.evaluation->tallies);
  std::vector<std::pair<std::string, std::string>> key{
      {with_interval("mean IoU", intervals.mean_iou), fmt::format("{:.3f}", m.mean_iou())},
      {with_interval("accuracy", intervals.accuracy), fmt::format("{:.3f}", m.accuracy())},
      {with_interval("macro F1 (Dice)", intervals.macro_f1), fmt::format("{:.3f}", m.macro_f1())}};
  if (m.class_count() == 2 && !intervals.iou.empty())
    key.emplace(key.begin(), with_interval("IoU of " + m.classes()[1].name, intervals.iou[1]),
                fmt::format("{:.3f}", m.iou(1)));
  if (in.best_epoch > 0)
    key.emplace_back("best epoch",
                     fmt::format("{} of {}", in.best_epoch, in.history.empty() ? 0 : in.history.back().epoch));
  document.key_figures(key);
  if (intervals.accuracy)
    document.paragraph(fmt::format("In brackets: what 95 % of 1000 resamples of the {} images come to (bootstrap).",
                                   in.evaluation->images.size()));
  if (m.total() == 0) document.note("There was no labelled pixel to evaluate on: nothing could be measured.");
  for (const data::Problem& p : in.skipped) document.note(to_string(p));
  const std::vector<int64_t> counts = data::class_counts(*in.store, in.training.empty() ? in.validation : in.training);
  const int64_t commonest = std::max_element(counts.begin(), counts.end()) - counts.begin();
  if (m.total() > 0)
    add_comparison(report, {{"this model", m}, {"always the commonest class", majority_baseline(m, commonest)}});
  std::vector<EpochFigures> history;
  for (const EpochRecord& e : in.history) history.push_back(epoch_figures(e));
  add_history(report, history, in.best_epoch, {in.loss, kCrossEntropy});
  add_reached(report, in.history, in.reach);
  if (m.total() > 0) add_classes(report, m);
  add_images(report, run, in);
  if (!in.evaluation->images.empty()) add_table(report, in);
  std::vector<SplitCounts> splits;
  if (!in.training.empty()) splits.push_back(split_counts("training", *in.store, in.training));
  if (!in.unlabelled.empty()) splits.push_back(split_counts("unlabelled", *in.store, in.unlabelled, false));
  splits.push_back(split_counts(in.training.empty() ? "evaluated" : "validation", *in.store, in.validation));
  add_data(report, m.classes(), splits, "images");
  add_provenance(report, facts_of(in), in.config);
  run.write("confusion.csv", m.counts_csv());
  run.write("per_class.csv", m.per_class_csv());
  run.write("images.csv", images_csv(in));
  report.write();
}

std::string figures_in_words(const ImagesEvaluation& j) {
  const ConfusionMatrix& m = j.matrix;
  return fmt::format("{}mean IoU {:.4f}, accuracy {:.4f}, macro-F1 {:.4f}",
                     m.class_count() == 2 ? fmt::format("IoU of {} {:.4f}, ", m.classes()[1].name, m.iou(1)) : "",
                     m.mean_iou(), m.accuracy(), m.macro_f1());
}

void add_figures(Figures& figures, const ImagesEvaluation& j) {
  figures.add("loss", j.loss);
  figures.add("accuracy", j.matrix.accuracy());
  figures.add("mean_iou", j.matrix.mean_iou());
  figures.add("macro_f1", j.matrix.macro_f1());
  const MatrixIntervals intervals = intervals_of(j.tallies);
  figures.add("accuracy_interval", ends_of(intervals.accuracy));
  figures.add("mean_iou_interval", ends_of(intervals.mean_iou));
  figures.add("macro_f1_interval", ends_of(intervals.macro_f1));
  if (j.matrix.class_count() == 2) {
    figures.add("binary_iou", j.matrix.iou(1));
    figures.add("binary_iou_interval", intervals.iou.empty() ? std::vector<double>() : ends_of(intervals.iou[1]));
  }
  std::vector<double> iou, f1;
  for (int64_t k = 0; k < j.matrix.class_count(); ++k) iou.push_back(j.matrix.iou(k)), f1.push_back(j.matrix.f1(k));
  figures.add("class_iou", iou);
  figures.add("class_f1", f1);
}

}  // namespace kern::apps
