#include "training/report/report.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "training/progress.h"
#include "training/report/charts.h"
#include "training/run_folder.h"

namespace kern::training {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> column(const std::vector<EpochFigures>& history, double EpochFigures::*figure) {
  std::vector<double> values;
  for (const auto& e : history) values.push_back(e.*figure);
  return values;
}

bool any_finite(const std::vector<double>& values) {
  for (double v : values)
    if (std::isfinite(v)) return true;
  return false;
}

// "pseudo_accuracy" as people read it.
std::string words(std::string name) {
  for (char& c : name)
    if (c == '_') c = ' ';
  return name;
}

// The figures that a method has of its own, as curves. `chart` gives axis and best epoch.
void add_method_figures(Report& report, const std::vector<EpochFigures>& history, LineChart chart) {
  constexpr const char* kColours[] = {"#2f86c8", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#7a7a7a"};
  LineChart losses = chart, others = std::move(chart);
  losses.title = "Parts of the loss";
  others.title = "The method's own figures";
  losses.series.clear();
  others.series.clear();
  for (size_t i = 0; i < history[0].more.size(); ++i) {
    const std::string& name = history[0].more[i].first;
    if (name.ends_with("_iou")) continue;  // of the validation
    LineChart& into = name.starts_with("loss") ? losses : others;
    std::vector<double> values;
    for (const EpochFigures& e : history) values.push_back(i < e.more.size() ? e.more[i].second : kNan);
    if (any_finite(values))
      into.series.push_back(
          {words(name), std::move(values), kColours[into.series.size() % std::size(kColours)], Series::Mark::line});
  }
  if (losses.series.empty() && others.series.empty()) return;
  report.document().begin_row();
  if (!losses.series.empty())
    report.figure("loss_parts", line_chart(losses), "Means over each epoch's steps, before their weights.");
  if (!others.series.empty())
    report.figure("method", line_chart(others),
                  "Means over each epoch's steps; pseudo accuracy over those positions whose truth is known.");
  report.document().end_row();
}

}  // namespace

EpochFigures::EpochFigures()
    : train_loss(kNan),
      validation_loss(kNan),
      accuracy(kNan),
      mean_iou(kNan),
      macro_f1(kNan),
      learning_rate(kNan),
      seconds(kNan) {}

Report::Report(std::filesystem::path run_folder, std::string title, std::string subtitle)
    : folder_(std::move(run_folder)), document_(std::move(title), std::move(subtitle)) {
  make_folder(folder_ / "figures");
}

void Report::figure(std::string_view name, const Svg& image, std::string_view caption) {
  document_.figure(image, caption);
  file(name, image, caption);
}

void Report::file(std::string_view name, const Svg& image, std::string_view label) {
  write_file(folder_ / "figures" / (std::string(name) + ".svg"), image.file_markup(label));
}

std::filesystem::path Report::write() {
  const auto path = folder_ / "report.html";
  write_file(path, document_.markup());
  return path;
}

EpochFigures epoch_figures(const EpochRecord& e) {
  EpochFigures f;
  f.epoch = e.epoch;
  f.train_loss = e.train_loss;
  f.learning_rate = e.lr;
  f.seconds = e.seconds;
  for (const auto& [name, value] : e.figures) {
    if (name == "val_loss") f.validation_loss = value;
    if (name == "accuracy") f.accuracy = value;
    if (name == "mean_iou") f.mean_iou = value;
    if (name == "macro_f1") f.macro_f1 = value;
    const bool known = name == "val_loss" || name == "accuracy" || name == "mean_iou" || name == "macro_f1";
    if (!known) f.more.emplace_back(name, value);
  }
  return f;
}

void add_costs(std::vector<std::pair<std::string, std::string>>& facts, const StepMemory& foreseen, double seconds) {
  facts.emplace_back("Peak memory of tensors", format_bytes(double(memory_counters().peak)));
  if (foreseen.peak > 0)
    facts.emplace_back("Foreseen for a step",
                       fmt::format("{}, with what is kept for the next {}", format_bytes(double(foreseen.peak)),
                                   format_bytes(double(foreseen.reserved))));
  if (seconds > 0) facts.emplace_back("Time in training", format_duration(seconds));
}

void add_history(Report& report, const std::vector<EpochFigures>& history, int64_t best_epoch,
                 const LossNames& losses) {
  if (history.empty()) return;  // an evaluation
  auto& document = report.document();
  document.section("Training");
  std::vector<double> epochs;
  for (const auto& e : history) epochs.push_back(double(e.epoch));
  LineChart chart;
  chart.x_label = "epoch";
  chart.x = epochs;
  if (best_epoch > 0) {
    chart.best_x = double(best_epoch);
    chart.best_label = fmt::format("best: epoch {}", best_epoch);
  }
  const auto add = [&](const char* name, double EpochFigures::*figure, const char* colour, Series::Mark mark) {
    auto values = column(history, figure);
    if (any_finite(values)) chart.series.push_back({name, std::move(values), colour, mark});
  };
  document.begin_row();
  const bool alike = losses.training == losses.validation;
  chart.title = alike ? "Loss" : "Training loss";
  add("training", &EpochFigures::train_loss, "#e69f00", Series::Mark::dots);
  if (alike) {
    add("validation", &EpochFigures::validation_loss, "#2f86c8", Series::Mark::line);
    report.figure("loss", line_chart(chart), "Mean loss of each epoch: training as dots, validation as a line.");
  } else {
    report.figure("training_loss", line_chart(chart), "Mean of each epoch: " + losses.training + ".");
    chart.series.clear();
    chart.title = "Validation loss";
    add("validation", &EpochFigures::validation_loss, "#2f86c8", Series::Mark::line);
    report.figure("loss", line_chart(chart),
                  "Not on the scale of the training loss: " + losses.validation + ", unweighted.");
    document.end_row();
    document.begin_row();
  }
  chart.series.clear();
  chart.title = "Validation figures";
  add("accuracy", &EpochFigures::accuracy, "#2f86c8", Series::Mark::line);
  add("mean IoU", &EpochFigures::mean_iou, "#009e73", Series::Mark::line);
  add("macro F1", &EpochFigures::macro_f1, "#d55e00", Series::Mark::line);
  for (size_t i = 0; i < history[0].more.size(); ++i) {
    const std::string& name = history[0].more[i].first;
    if (!name.ends_with("_iou")) continue;
    Series s{.name = words(name.substr(0, name.size() - 4)) + " IoU", .values = {}, .colour = "#cc79a7"};
    for (const EpochFigures& e : history) s.values.push_back(i < e.more.size() ? e.more[i].second : kNan);
    chart.series.push_back(std::move(s));
  }
  if (!chart.series.empty())
    report.figure("validation", line_chart(chart), "Accuracy, mean IoU and macro F1 on the validation data.");
  document.end_row();
  add_method_figures(report, history, chart);
  double seconds = 0;
  for (const auto& e : history) seconds += std::isfinite(e.seconds) ? e.seconds : 0;
  if (seconds > 0)
    document.paragraph(fmt::format("{} epochs in {}, {} each.", history.size(), format_duration(seconds),
                                   format_duration(seconds / double(history.size()))));

  HtmlTable table;
  using Best = HtmlTable::Best;
  table.columns = {{"epoch", true},
                   {"training loss", true},
                   {"validation loss", true, Best::lowest},
                   {"accuracy", true, Best::highest},
                   {"mean IoU", true, Best::highest},
                   {"macro F1", true, Best::highest},
                   {"learning rate", true},
                   {"time", true}};
  // The last epochs are enough to read here; metrics.csv has them all.
  constexpr size_t kMaxRows = 12;
  const size_t first = history.size() > kMaxRows ? history.size() - kMaxRows : 0;
  for (size_t i = 0; i < history.size(); ++i) {
    const auto& e = history[i];
    if (i < first && e.epoch != best_epoch) continue;
    table.rows.push_back({count_cell(e.epoch),
                          figure_cell(e.train_loss, 4),
                          figure_cell(e.validation_loss, 4),
                          figure_cell(e.accuracy, 4),
                          figure_cell(e.mean_iou, 4),
                          figure_cell(e.macro_f1, 4),
                          {readable(e.learning_rate, 3), {}, {}},
                          {std::isnan(e.seconds) ? "–" : format_duration(e.seconds), {}, {}}});
  }
  table.caption =
      first > 0 ? fmt::format("The last {} epochs and the best one; all are in metrics.csv.", kMaxRows) : "All epochs.";
  document.table(table);
}

void add_reached(Report& report, const std::vector<EpochRecord>& history, const Aims& aims) {
  if (aims.empty()) return;
  const CsvTable metrics = table_of(history);
  HtmlTable table;
  table.columns = {{"reached"}, {"epochs until then", true}, {"best", true}};
  for (const auto& [figure, value] : aims) {
    const std::optional<int64_t> epoch = epochs_until(metrics, figure, value);
    table.rows.push_back({{aim_in_words(figure, value), {}, {}},
                          epoch ? count_cell(*epoch) : HtmlTable::Cell{"never", {}, {}},
                          figure_cell(best_of(metrics, figure).value_or(kNan), 4)});
  }
  table.caption = "On the data that were evaluated.";
  report.document().subsection("Epochs until it was good enough");
  report.document().table(table);
}

void add_classes(Report& report, const ConfusionMatrix& m) {
  auto& document = report.document();
  document.section("Classes");
  HtmlTable table;
  table.columns = {{"class"},        {"true samples", true}, {"predicted", true}, {"precision", true},
                   {"recall", true}, {"F1", true},           {"IoU", true}};
  for (int64_t c = 0; c < m.class_count(); ++c) {
    const auto& [name, colour] = m.classes()[size_t(c)];
    const auto figure = [&](double v) { return m.present(c) ? figure_cell(v) : HtmlTable::Cell{"absent", {}, {}}; };
    table.rows.push_back({{name, {}, colour},
                          count_cell(m.support(c)),
                          count_cell(m.predicted(c)),
                          figure(m.precision(c)),
                          figure(m.recall(c)),
                          figure(m.f1(c)),
                          figure(m.iou(c))});
  }
  table.caption =
      "On the data that were evaluated. A class that is neither in the truth nor predicted is absent and takes no part "
      "in "
      "the "
      "means.";
  document.table(table);
  document.begin_row();
  report.figure("confusion", confusion_chart(m, "Confusion matrix"),
                "Each row is a true class; the percentages of a row add up to 100. Right answers blue, mistakes red.");
  report.figure("per_class", per_class_chart(m, "Figures by class"), "The number beside each group is its IoU.");
  document.end_row();
}

void add_comparison(Report& report, const std::vector<MatrixRow>& rows) {
  if (rows.empty()) return;
  auto& document = report.document();
  document.subsection("Comparison");
  HtmlTable table;
  using Best = HtmlTable::Best;
  table.columns = {{"method"},
                   {"samples", true},
                   {"accuracy", true, Best::highest},
                   {"balanced accuracy", true, Best::highest},
                   {"macro F1", true, Best::highest},
                   {"mean IoU", true, Best::highest}};
  for (const auto& [name, m] : rows)
    table.rows.push_back({{name, {}, {}},
                          count_cell(m.total()),
                          figure_cell(m.accuracy()),
                          figure_cell(m.balanced_accuracy()),
                          figure_cell(m.macro_f1()),
                          figure_cell(m.mean_iou())});
  table.caption = "The best of each column is marked.";
  document.table(table);
}

void add_data(Report& report, const ClassList& classes, const std::vector<SplitCounts>& splits, std::string_view item) {
  auto& document = report.document();
  document.section("Data");
  HtmlTable table;
  table.columns = {{"split"}, {std::string(item), true}, {"samples", true}, {"labelled", true}};
  BarChart chart;
  chart.title = "Share of each class among the labelled samples";
  chart.percent = true;
  for (const auto& c : classes) chart.groups.push_back(c.name);
  for (size_t s = 0; s < splits.size(); ++s) {
    const auto& split = splits[s];
    table.rows.push_back(
        {{split.name, {}, {}}, count_cell(split.items), count_cell(split.samples), count_cell(split.labelled)});
    internal_check(split.class_samples.size() == classes.size(), "the split '", split.name, "' counts ",
                   split.class_samples.size(), " classes, there are ", classes.size());
    double total = 0;
    for (int64_t n : split.class_samples) total += double(n);
    std::vector<double> shares;
    for (int64_t n : split.class_samples) shares.push_back(total > 0 ? double(n) / total : 0);
    if (total > 0)
      chart.bars.push_back({split.name, std::move(shares), default_colour(std::vector<int64_t>{4, 1, 0, 6}[s % 4])});
  }
  document.table(table);
  chart.width = std::min(1180.0, std::max(kChartWidth, 70 + 70 * double(classes.size())));
  report.figure("class_histogram", bar_chart(chart),
                "How often each class occurs. Rare classes are learnt and measured less surely.");
}

void add_provenance(Report& report, const std::vector<std::pair<std::string, std::string>>& facts,
                    std::string_view configuration) {
  auto& document = report.document();
  document.section("Provenance");
  document.facts(facts);
  if (!configuration.empty()) document.raw_block("Configuration", configuration);
}

}  // namespace kern::training
