// The charts that every task's report is made of. Each takes plain numbers and gives a Svg; empty data gives an image
// that says so.
#pragma once
#include <string>
#include <vector>

#include "training/metrics.h"
#include "training/report/svg.h"

namespace kern::training {

inline constexpr double kChartWidth = 560;

struct Series {
  enum class Mark { dots, line, line_and_dots };
  std::string name;
  std::vector<double> values;  // one per x; NaN where there is none
  std::string colour;          // "#rrggbb"
  Mark mark = Mark::line;
};

struct LineChart {
  std::string title, x_label, y_label;
  std::vector<double> x;  // shared by all series, ascending
  std::vector<Series> series;
  double best_x = 0;  // a vertical line here with best_label, when the label is not empty
  std::string best_label;
  bool from_zero = false;  // the y axis includes 0
  double width = kChartWidth, height = 300;
};
// Training figures as dots, validation as lines, by the field's habit: the marks say which. Values that are not finite
// are left out and counted in a line under the chart.
Svg line_chart(const LineChart& chart);

struct BarChart {
  std::string title, y_label;
  std::vector<std::string> groups;  // one per position on the x axis
  struct Bars {
    std::string name;
    std::vector<double> values;  // one per group
    std::string colour;
  };
  std::vector<Bars> bars;
  bool percent = false;              // values are shares of 1
  std::vector<std::string> colours;  // one per group; overrides the bars' own (for a single set of bars)
  double width = kChartWidth, height = 300;
};
Svg bar_chart(const BarChart& chart);

// Counts and row percentages; the diagonal in one hue, mistakes in another, stronger where the row's share is larger.
// Over 40 classes the cells hold no text (the tooltips do).
Svg confusion_chart(const ConfusionMatrix& matrix, const std::string& title);

// Precision, recall, F1 and IoU of every class as horizontal bars, the class's colour beside its name.
Svg per_class_chart(const ConfusionMatrix& matrix, const std::string& title);

}  // namespace kern::training
