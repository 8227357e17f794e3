#include "training/report/segmentation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/atomic_file.h"
#include "training/report/charts.h"

namespace kern::training {
namespace {

constexpr size_t kMaxWellRows = 25;

// Wells by accuracy in bins of 5 %.
Svg accuracy_histogram(const std::vector<WellFigure>& wells) {
  constexpr int kBins = 20;
  BarChart chart;
  chart.title = "Wells by accuracy";
  chart.y_label = "wells";
  std::vector<double> counts(kBins);
  for (const auto& w : wells)
    if (std::isfinite(w.accuracy)) ++counts[size_t(std::clamp(int(w.accuracy * kBins), 0, kBins - 1))];
  for (int b = 0; b < kBins; ++b) chart.groups.push_back(fmt::format("{}–{} %", b * 5, b * 5 + 5));
  chart.bars.push_back({"", std::move(counts), "#2f86c8"});
  return bar_chart(chart);
}

void add_wells(Report& report, const SegmentationReport& content) {
  auto& document = report.document();
  document.section("Wells");
  if (!content.wells.empty()) {
    auto wells = content.wells;
    const auto worse = [](const WellFigure& a, const WellFigure& b) {
      if (std::isnan(a.accuracy) != std::isnan(b.accuracy)) return std::isnan(b.accuracy);
      return a.accuracy < b.accuracy;
    };
    std::stable_sort(wells.begin(), wells.end(), worse);
    document.begin_row();
    HtmlTable table;
    table.columns = {{"well"}, {"samples", true}, {"labelled", true}, {"accuracy", true}, {"mean IoU", true}};
    for (size_t i = 0; i < std::min(wells.size(), kMaxWellRows); ++i)
      table.rows.push_back({{wells[i].id, {}, {}},
                            count_cell(wells[i].samples),
                            count_cell(wells[i].labelled),
                            figure_cell(wells[i].accuracy),
                            figure_cell(wells[i].mean_iou)});
    table.caption = wells.size() > kMaxWellRows ? fmt::format("The {} worst of {} validation wells, the worst first.",
                                                              kMaxWellRows, wells.size())
                                                : "The validation wells, the worst first.";
    document.table(table);
    if (wells.size() > 2)
      report.figure("wells_by_accuracy", accuracy_histogram(wells), "How many validation wells reach which accuracy.");
    document.end_row();
  }
  if (content.tracks.empty()) return;
  document.subsection("Logs");
  document.paragraph(
      "Depth runs downwards. Gaps in a curve are samples that were not measured; empty places in a class column have "
      "no label. "
      "Gamma ray, porosity (reversed), density and sonic (reversed) are on their usual scales; others span the curve's "
      "0.5th to "
      "99.5th percentile.");
  document.figure(class_legend(content.validation.classes()), "");
  std::vector<HtmlDocument::Panel> panels;
  for (size_t i = 0; i < content.tracks.size(); ++i) {
    const auto& [why, well] = content.tracks[i];
    const std::string name = why.empty() ? well.id : why + ": " + well.id;
    panels.push_back({name, log_tracks(well, content.validation.classes()), name});
    // Numbered, for a well's name may hold anything.
    report.file(fmt::format("well_{:02}", i + 1), log_tracks(well, content.validation.classes(), {.legend = true}),
                name);
  }
  document.panels("Well", panels);
}

}  // namespace

std::vector<std::pair<size_t, std::string>> choose_wells(std::span<const double> accuracy, size_t worst, size_t median,
                                                         size_t best) {
  std::vector<size_t> order, without;
  for (size_t i = 0; i < accuracy.size(); ++i) (std::isnan(accuracy[i]) ? without : order).push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return accuracy[a] < accuracy[b]; });
  std::vector<std::pair<size_t, std::string>> chosen;
  std::set<size_t> taken;
  const auto take = [&](size_t rank, const std::string& why) {
    if (rank < order.size() && taken.insert(order[rank]).second) chosen.emplace_back(order[rank], why);
  };
  for (size_t i = 0; i < worst; ++i) take(i, fmt::format("worst {}", i + 1));
  const size_t first = order.size() / 2 - std::min(order.size() / 2, median / 2);
  for (size_t i = 0; i < median; ++i) take(first + i, "median");
  for (size_t i = 0; i < best && i < order.size(); ++i) take(order.size() - 1 - i, fmt::format("best {}", i + 1));
  for (size_t i = 0; i < without.size() && chosen.size() < worst + median + best; ++i)
    chosen.emplace_back(without[i], "no labels");
  return chosen;
}

std::filesystem::path write_segmentation_report(const std::filesystem::path& run_folder,
                                                const SegmentationReport& content) {
  const auto& m = content.validation;
  Report report(run_folder, content.title, content.subtitle);
  auto& document = report.document();
  document.section("Summary");
  std::vector<std::pair<std::string, std::string>> key;
  if (m.total() > 0)
    key = {{with_interval("accuracy", content.intervals.accuracy), fmt::format("{:.3f}", m.accuracy())},
           {with_interval("macro F1", content.intervals.macro_f1), fmt::format("{:.3f}", m.macro_f1())},
           {with_interval("mean IoU", content.intervals.mean_iou), fmt::format("{:.3f}", m.mean_iou())},
           {"labelled validation samples", grouped(m.total())}};
  if (content.best_epoch > 0)
    key.emplace_back("best epoch", fmt::format("{} of {}", content.best_epoch,
                                               content.history.empty() ? 0 : content.history.back().epoch));
  document.key_figures(key);
  if (content.intervals.accuracy)
    document.paragraph(fmt::format("In brackets: what 95 % of 1000 resamples of the {} wells come to (bootstrap).",
                                   content.wells.size()));
  if (m.total() == 0) document.note("There was no labelled validation sample: nothing could be measured.");
  for (const auto& remark : content.remarks) document.note(remark);
  std::vector<MatrixRow> rows{{content.validation_name, m}};
  rows.insert(rows.end(), content.comparison.begin(), content.comparison.end());
  if (m.total() > 0) add_comparison(report, rows);
  add_history(report, content.history, content.best_epoch, content.losses);
  if (m.total() > 0) add_classes(report, m);
  add_wells(report, content);
  add_data(report, m.classes(), content.splits, "wells");
  add_provenance(report, content.facts, content.configuration);
  write_file(run_folder / "confusion.csv", m.counts_csv());
  write_file(run_folder / "per_class.csv", m.per_class_csv());
  return report.write();
}

}  // namespace kern::training
