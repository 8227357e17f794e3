#include "training/report/comparison_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/atomic_file.h"
#include "training/report/charts.h"
#include "training/report/log_tracks.h"

namespace kern::training {
namespace {

const std::vector<ShownFigure> kFigures = {{.name = "accuracy", .shown = "accuracy"},
                                           {.name = "macro_f1", .shown = "macro F1", .column = "macro_F1"},
                                           {.name = "mean_iou", .shown = "mean IoU", .column = "mean_IoU"}};
using Cell = HtmlTable::Cell;

Spread class_iou(const Comparison& c, const ComparedMethod& m, int64_t k) {
  return spread_of(c.runs, m, iou_of(c.runs[0].matrix->classes()[size_t(k)].name));
}

std::string labelled_of(const Comparison& c, const ComparedMethod& m) {
  int64_t low = c.runs[m.runs[0]].labelled, high = low;
  for (size_t i : m.runs) low = std::min(low, c.runs[i].labelled), high = std::max(high, c.runs[i].labelled);
  return low == high ? grouped(low) : grouped(low) + "–" + grouped(high);
}

void add_methods(HtmlDocument& document, const Comparison& c) {
  HtmlTable table = table_of_methods(c.runs, c.methods, kFigures);
  const auto behind_runs = [](auto& row, auto cell) { row.insert(row.begin() + 3, std::move(cell)); };
  behind_runs(table.columns, HtmlTable::Column{"labelled " + c.item, true});
  for (size_t m = 0; m < c.methods.size(); ++m) behind_runs(table.rows[m], Cell{labelled_of(c, c.methods[m]), {}, {}});
  for (const auto& [name, matrices] : c.baselines) {
    table.rows.push_back({{"", {}, {}}, {name, {}, {}}, count_cell(int64_t(matrices.size())), {"", {}, {}}});
    for (const auto figure : {&ConfusionMatrix::accuracy, &ConfusionMatrix::macro_f1, &ConfusionMatrix::mean_iou}) {
      std::vector<double> values;
      for (const ConfusionMatrix& m : matrices) values.push_back((m.*figure)());
      table.rows.back().push_back(spread_cell(spread_of(values)));
    }
  }
  table.caption =
      "Mean ± standard deviation (n - 1) over the runs of a method, which differ in seed or fold alone. The best of "
      "each column is marked.";
  document.table(table);
}

void add_class_table(HtmlDocument& document, const Comparison& c) {
  const ClassList& classes = c.runs[0].matrix->classes();
  HtmlTable table;
  table.columns = {{"IoU of"}};
  for (size_t m = 0; m < c.methods.size(); ++m) table.columns.push_back({method_number(m), true});
  for (size_t k = 0; k < classes.size(); ++k) {
    table.rows.push_back({{classes[k].name, {}, classes[k].colour}});
    for (const ComparedMethod& m : c.methods) table.rows.back().push_back(spread_cell(class_iou(c, m, int64_t(k))));
  }
  table.caption = "The methods by their numbers in the table above.";
  document.table(table);
}

// Only what differs; the folder's own name stands in front already.
void add_runs(HtmlDocument& document, const Comparison& c) {
  document.section("Runs");
  std::vector<std::string> keys;
  for (const ComparedRun& r : c.runs)
    for (const Settings::value_type& setting : r.settings) {
      const std::string& key = setting.first;
      if (setting.second != r.name && std::ranges::find(keys, key) == keys.end() &&
          std::ranges::any_of(c.runs, [&](const ComparedRun& other) {
            const auto at = std::ranges::find(other.settings, key, &Settings::value_type::first);
            return at == other.settings.end() || at->second != setting.second;
          }))
        keys.push_back(key);
    }
  HtmlTable table;
  table.columns = {{"run"}};
  for (const std::string& key : keys) table.columns.push_back({key});
  for (const ShownFigure& f : kFigures) table.columns.push_back({f.shown, true, f.best});
  for (const ComparedRun& r : c.runs) {
    table.rows.push_back({{r.name, {}, {}}});
    for (const std::string& key : keys) {
      const auto at = std::ranges::find(r.settings, key, &Settings::value_type::first);
      table.rows.back().push_back({at == r.settings.end() ? "none" : at->second, {}, {}});
    }
    for (const ShownFigure& f : kFigures) table.rows.back().push_back(figure_cell(r.number(f.name)));
  }
  table.caption = keys.empty() ? "Their configurations do not differ." : "With what differs in their configurations.";
  document.table(table);
}

void add_reached(HtmlDocument& document, const Comparison& c) {
  const Aims aims = aims_of(c);
  if (aims.empty()) return;
  HtmlTable table;
  table.columns = {{""}, {"method"}};
  for (const auto& [figure, value] : aims)
    table.columns.push_back({aim_in_words(figure, value), true, HtmlTable::Best::lowest});
  for (size_t m = 0; m < c.methods.size(); ++m) {
    const ComparedMethod& method = c.methods[m];
    table.rows.push_back({{method_number(m), {}, method_colour(m)}, {method.name, {}, {}}});
    for (const auto& [figure, value] : aims) {
      const Spread s = epochs_until(c.runs, method, figure, value);
      const int64_t runs = int64_t(method.runs.size());
      Cell cell{s.n == 0 ? "never" : to_string(s, s.n > 1 ? 1 : 0), {}, {}};
      if (s.n > 0 && s.n < runs) cell.text += fmt::format(" ({} of {} runs)", s.n, runs);
      if (s.n == runs) cell.value = s.mean;
      table.rows.back().push_back(std::move(cell));
    }
  }
  table.caption = c.reach.empty() ? "On the validation data; the values are the best that every run came to."
                                  : "On the validation data, to the values of reach=.";
  document.subsection("Epochs until it was good enough");
  document.table(table);
}

// Figures over the number of labelled items, for methods that are the same but for what changes that number.
void add_learning_curve(Report& report, const Comparison& c) {
  std::map<int64_t, std::vector<double>> by_labels;  // of every run
  for (const ComparedRun& r : c.runs) by_labels[r.labelled];
  if (by_labels.size() < 2) return;
  LineChart chart;
  chart.title = "Mean IoU over the number of labelled " + c.item;
  chart.x_label = "labelled " + c.item;
  for (const auto& [n, unused] : by_labels) chart.x.push_back(double(n));
  // A line: methods whose settings differ only in keys that start with "labelled", or, of folds, in nothing.
  std::map<std::string, std::map<int64_t, std::vector<double>>> lines;
  for (const ComparedMethod& m : c.methods) {
    std::string name;
    for (const auto& [key, value] : m.settings)
      if (!key.starts_with("labelled")) name += (name.empty() ? "" : ", ") + key + "=" + value;
    for (size_t i : m.runs) lines[name][c.runs[i].labelled].push_back(c.runs[i].number("mean_iou"));
  }
  for (const auto& [name, points] : lines) {
    Series s{.name = name.empty() ? "these runs" : name,
             .values = {},
             .colour = method_colour(chart.series.size()),
             .mark = Series::Mark::line_and_dots};
    for (const auto& [n, unused] : by_labels) s.values.push_back(points.count(n) ? spread_of(points.at(n)).mean : NAN);
    chart.series.push_back(std::move(s));
  }
  report.figure("learning_curve", line_chart(chart), "Means over the runs with as many labels.");
}

void add_change(Report& report, const Comparison& c) {
  auto& document = report.document();
  const ClassList& classes = c.runs[0].matrix->classes();
  BarChart chart;
  chart.title = "Change of each class's IoU against method 1";
  for (const ClassInfo& k : classes) chart.groups.push_back(k.name);
  chart.width = std::min(1180.0, std::max(kChartWidth, 70 + 24 * double(classes.size() * c.methods.size())));
  for (size_t m = 1; m < c.methods.size(); ++m) {
    BarChart::Bars bars{method_number(m), {}, method_colour(m)};
    for (int64_t k = 0; k < int64_t(classes.size()); ++k)
      bars.values.push_back(
          std::round(1000 * (class_iou(c, c.methods[m], k).mean - class_iou(c, c.methods[0], k).mean)) / 1000);
    chart.bars.push_back(std::move(bars));
  }
  report.figure("class_change", bar_chart(chart), "Above zero: better than method 1. Numbers as in the first table.");

  const ConfusionMatrix first = pooled(c.runs, c.methods[0]);
  document.section("Confusion matrices");
  document.paragraph(fmt::format("Method 1: {}. The runs of a method are counted together.", c.methods[0].name));
  report.figure("confusion_1", confusion_chart(first, "Method 1"), "Percentages of each true class.");
  const std::vector<double> before = first.row_shares();
  for (size_t m = 1; m < c.methods.size(); ++m) {
    const ConfusionMatrix other = pooled(c.runs, c.methods[m]);
    document.subsection(fmt::format("Method {}: {}", method_number(m), c.methods[m].name));
    document.begin_row();
    report.figure(fmt::format("confusion_{}", method_number(m)), confusion_chart(other, "Method " + method_number(m)),
                  "");
    HtmlTable table;
    table.columns = {{"true \\ predicted"}};
    for (const ClassInfo& k : classes) table.columns.push_back({k.name, true});
    const std::vector<double> after = other.row_shares();
    for (size_t t = 0; t < classes.size(); ++t) {
      table.rows.push_back({{classes[t].name, {}, classes[t].colour}});
      for (size_t p = 0; p < classes.size(); ++p)
        table.rows.back().push_back(
            {fmt::format("{:+.1f}", 100 * (after[t * classes.size() + p] - before[t * classes.size() + p])), {}, {}});
    }
    table.caption = fmt::format("Method {} less method 1, in percentage points of each true class.", method_number(m));
    document.table(table);
    document.end_row();
  }
}

// A value of a run as it stands in its file: a text, else a number.
std::string detail_of(const ComparedRun& run, const std::string& name) {
  if (run.words.count(name)) return run.word(name);
  return readable(run.number(name));
}

}  // namespace

std::string method_colour(size_t method) { return default_colour(int64_t(method) + 1); }
std::string method_number(size_t method) { return fmt::format("{}", method + 1); }

HtmlTable::Cell spread_cell(const Spread& s, int decimals) {
  return s.n > 0 ? Cell{to_string(s, decimals), s.mean, {}} : Cell{"–", {}, {}};
}

HtmlTable table_of_methods(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
                           const std::vector<ShownFigure>& figures) {
  HtmlTable table;
  table.columns = {{""}, {"method"}, {"runs", true}};
  for (const ShownFigure& f : figures) table.columns.push_back({f.shown, true, f.best});
  for (size_t m = 0; m < methods.size(); ++m) {
    table.rows.push_back({{method_number(m), {}, method_colour(m)},
                          {methods[m].name, {}, {}},
                          count_cell(int64_t(methods[m].runs.size()))});
    for (const ShownFigure& f : figures)
      table.rows.back().push_back(spread_cell(spread_of(runs, methods[m], f.name), f.decimals));
  }
  return table;
}

HtmlTable table_of_runs(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
                        const std::vector<std::string>& details, const std::vector<ShownFigure>& figures) {
  HtmlTable table;
  table.columns = {{"run"}, {"method"}, {"seed", true}};
  for (const std::string& d : details) table.columns.push_back({d, true});
  for (const ShownFigure& f : figures) table.columns.push_back({f.shown, true});
  for (const ComparedMethod& m : methods)
    for (const size_t i : m.runs) {
      const ComparedRun& r = runs[i];
      table.rows.push_back({{r.name, {}, {}}, {m.name, {}, {}}, {r.setting("seed"), {}, {}}});
      for (const std::string& d : details) table.rows.back().push_back({detail_of(r, d), {}, {}});
      for (const ShownFigure& f : figures) table.rows.back().push_back(figure_cell(r.number(f.name), f.decimals));
    }
  return table;
}

std::string csv_of_methods(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
                           const std::vector<ShownFigure>& figures, const std::vector<std::string>& means) {
  std::string out = "method,runs";
  for (const ShownFigure& f : figures) out += fmt::format(",{0},{0}_deviation", f.column.empty() ? f.name : f.column);
  for (const std::string& name : means) out += "," + csv_field(name);
  for (const ComparedMethod& m : methods) {
    out += fmt::format("\n{},{}", csv_field(m.name), m.runs.size());
    for (const ShownFigure& f : figures) {
      const Spread s = spread_of(runs, m, f.name);
      out += s.n > 0 ? fmt::format(",{},{}", s.mean, s.deviation) : std::string(",,");
    }
    for (const std::string& name : means) out += fmt::format(",{}", spread_of(runs, m, name).mean);
  }
  return out + "\n";
}

void add_curve(Report& report, const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
               const std::string& figure) {
  LineChart chart;
  chart.title = fmt::format("{} of every run", figure);
  chart.x_label = "epoch";
  std::map<double, size_t> epochs;
  for (const ComparedRun& r : runs)
    for (const auto& row : r.metrics.rows) epochs[row[0]] = 0;
  for (auto& [epoch, place] : epochs) place = chart.x.size(), chart.x.push_back(epoch);
  for (size_t m = 0; m < methods.size(); ++m)
    for (const size_t i : methods[m].runs) {
      const CsvTable& t = runs[i].metrics;
      const auto column = std::ranges::find(t.columns, figure) - t.columns.begin();
      if (size_t(column) == t.columns.size()) continue;
      Series s{
          .name = method_number(m), .values = std::vector<double>(chart.x.size(), NAN), .colour = method_colour(m)};
      for (const auto& row : t.rows) s.values[epochs[row[0]]] = row[size_t(column)];
      if (i != methods[m].runs[0]) s.name.clear();
      chart.series.push_back(std::move(s));
    }
  if (chart.x.empty() || chart.series.empty()) return;
  report.figure("curve_" + figure, line_chart(chart),
                "On the validation data after each epoch; a line is a run, a colour and number a method.");
}

Aims aims_of(const Comparison& c) { return c.reach.empty() ? aims_all_reached(c.runs, c.curves) : c.reach; }

std::filesystem::path write_comparison_report(const std::filesystem::path& folder, const Comparison& c) {
  Report report(folder, "Comparison of runs", fmt::format("{} runs, {} methods", c.runs.size(), c.methods.size()));
  auto& document = report.document();
  document.section("Summary");
  add_methods(document, c);
  add_class_table(document, c);
  document.section("Curves");
  document.begin_row();
  for (const std::string& figure : c.curves) add_curve(report, c.runs, c.methods, figure);
  add_learning_curve(report, c);
  document.end_row();
  add_reached(document, c);
  if (c.methods.size() > 1) {
    document.section("Classes");
    add_change(report, c);
  }
  if (!c.panels.empty()) {
    document.section("The same " + c.item + " under each method");
    document.figure(class_legend(c.runs[0].matrix->classes()), "");
    document.panels("Choose", c.panels);
  }
  add_runs(document, c);
  document.section("Provenance");
  document.facts(c.facts);
  std::vector<std::string> classes;
  for (const ClassInfo& k : c.runs[0].matrix->classes()) classes.push_back(iou_of(k.name));
  write_file(folder / "comparison.csv", csv_of_methods(c.runs, c.methods, kFigures, classes));
  return report.write();
}

}  // namespace kern::training
