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

using Figure = double (ConfusionMatrix::*)() const;
struct Named {
  const char* name;
  Figure figure;
};
const Named kFigures[] = {{"accuracy", &ConfusionMatrix::accuracy},
                          {"macro F1", &ConfusionMatrix::macro_f1},
                          {"mean IoU", &ConfusionMatrix::mean_iou}};
using Cell = HtmlTable::Cell;

Cell spread_cell(const Spread& s) { return {to_string(s, 3), s.mean, {}}; }

Spread class_iou(const Comparison& c, const ComparedMethod& m, int64_t k) {
  std::vector<double> values;
  for (size_t i : m.runs)
    if (c.runs[i].matrix.present(k)) values.push_back(c.runs[i].matrix.iou(k));
  return spread_of(values);
}

std::string labelled_of(const Comparison& c, const ComparedMethod& m) {
  int64_t low = c.runs[m.runs[0]].labelled, high = low;
  for (size_t i : m.runs) low = std::min(low, c.runs[i].labelled), high = std::max(high, c.runs[i].labelled);
  return low == high ? grouped(low) : grouped(low) + "–" + grouped(high);
}

void add_methods(HtmlDocument& document, const Comparison& c) {
  using Best = HtmlTable::Best;
  HtmlTable table;
  table.columns = {{""}, {"method"}, {"runs", true}, {"labelled " + c.item, true}};
  for (const Named& f : kFigures) table.columns.push_back({f.name, true, Best::highest});
  for (size_t m = 0; m < c.methods.size(); ++m) {
    const ComparedMethod& method = c.methods[m];
    table.rows.push_back({{method_number(m), {}, method_colour(m)},
                          {method.name, {}, {}},
                          count_cell(int64_t(method.runs.size())),
                          {labelled_of(c, method), {}, {}}});
    for (const Named& f : kFigures) table.rows.back().push_back(spread_cell(spread_of(c.runs, method, f.figure)));
  }
  for (const auto& [name, matrices] : c.baselines) {
    table.rows.push_back({{"", {}, {}}, {name, {}, {}}, count_cell(int64_t(matrices.size())), {"", {}, {}}});
    for (const Named& f : kFigures) {
      std::vector<double> values;
      for (const ConfusionMatrix& m : matrices) values.push_back((m.*f.figure)());
      table.rows.back().push_back(spread_cell(spread_of(values)));
    }
  }
  table.caption =
      "Mean ± standard deviation (n - 1) over the runs of a method, which differ in seed or fold alone. The best of "
      "each column is marked.";
  document.table(table);
}

void add_class_table(HtmlDocument& document, const Comparison& c) {
  const ClassList& classes = c.runs[0].matrix.classes();
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
  for (const Named& f : kFigures) table.columns.push_back({f.name, true, HtmlTable::Best::highest});
  for (const ComparedRun& r : c.runs) {
    table.rows.push_back({{r.name, {}, {}}});
    for (const std::string& key : keys) {
      const auto at = std::ranges::find(r.settings, key, &Settings::value_type::first);
      table.rows.back().push_back({at == r.settings.end() ? "none" : at->second, {}, {}});
    }
    for (const Named& f : kFigures) table.rows.back().push_back(figure_cell((r.matrix.*f.figure)()));
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
    for (size_t i : m.runs) lines[name][c.runs[i].labelled].push_back(c.runs[i].matrix.mean_iou());
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
  const ClassList& classes = c.runs[0].matrix.classes();
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

std::string table_of(const Comparison& c) {
  std::string out = "method,runs";
  for (const Named& f : kFigures) {
    std::string name = f.name;
    std::ranges::replace(name, ' ', '_');
    out += fmt::format(",{0},{0}_deviation", name);
  }
  for (const ClassInfo& k : c.runs[0].matrix.classes()) out += "," + csv_field("IoU " + k.name);
  for (const ComparedMethod& m : c.methods) {
    out += fmt::format("\n{},{}", csv_field(m.name), m.runs.size());
    for (const Named& f : kFigures) {
      const Spread s = spread_of(c.runs, m, f.figure);
      out += fmt::format(",{},{}", s.mean, s.deviation);
    }
    for (int64_t k = 0; k < c.runs[0].matrix.class_count(); ++k) out += fmt::format(",{}", class_iou(c, m, k).mean);
  }
  return out + "\n";
}

}  // namespace

std::string method_colour(size_t method) { return default_colour(int64_t(method) + 1); }
std::string method_number(size_t method) { return fmt::format("{}", method + 1); }

void add_curve(Report& report, const std::vector<std::vector<const CsvTable*>>& methods, const std::string& figure) {
  LineChart chart;
  chart.title = fmt::format("{} of every run", figure);
  chart.x_label = "epoch";
  std::map<double, size_t> epochs;
  for (const auto& runs : methods)
    for (const CsvTable* t : runs)
      for (const auto& row : t->rows) epochs[row[0]] = 0;
  for (auto& [epoch, place] : epochs) place = chart.x.size(), chart.x.push_back(epoch);
  for (size_t m = 0; m < methods.size(); ++m)
    for (const CsvTable* t : methods[m]) {
      const auto column = std::ranges::find(t->columns, figure) - t->columns.begin();
      if (size_t(column) == t->columns.size()) continue;
      Series s{
          .name = method_number(m), .values = std::vector<double>(chart.x.size(), NAN), .colour = method_colour(m)};
      for (const auto& row : t->rows) s.values[epochs[row[0]]] = row[size_t(column)];
      if (t != methods[m][0]) s.name.clear();
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
  std::vector<std::vector<const CsvTable*>> metrics;
  for (const ComparedMethod& m : c.methods) {
    metrics.emplace_back();
    for (const size_t i : m.runs) metrics.back().push_back(&c.runs[i].metrics);
  }
  for (const std::string& figure : c.curves) add_curve(report, metrics, figure);
  add_learning_curve(report, c);
  document.end_row();
  add_reached(document, c);
  if (c.methods.size() > 1) {
    document.section("Classes");
    add_change(report, c);
  }
  if (!c.panels.empty()) {
    document.section("The same " + c.item + " under each method");
    document.figure(class_legend(c.runs[0].matrix.classes()), "");
    document.panels("Choose", c.panels);
  }
  add_runs(document, c);
  document.section("Provenance");
  document.facts(c.facts);
  write_file(folder / "comparison.csv", table_of(c));
  return report.write();
}

}  // namespace kern::training
