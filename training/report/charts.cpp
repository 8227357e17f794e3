#include "training/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

const Svg::Stroke kFaint{.width = 1, .opacity = 0.15};
const Svg::Stroke kAxis{.width = 1, .opacity = 0.6};
constexpr double kTitleHeight = 26, kLegendHeight = 22, kSmall = 11;

struct Plot {  // where the data goes, in pixels
  double left, top, right, bottom;
};

void draw_title(Svg& svg, const std::string& title) {
  if (!title.empty()) svg.text(8, 17, cut_to_width(title, svg.width() - 16, 14), {.size = 14, .bold = true});
}

void draw_y_axis(Svg& svg, const Axis& axis, const Plot& plot, const std::string& label, bool percent = false) {
  for (const auto& tick : axis.ticks()) {
    svg.line(plot.left, tick.pixel, plot.right, tick.pixel, kFaint);
    const std::string shown = percent ? fmt::format("{:.0f} %", tick.value * 100) : tick.label;
    svg.text(plot.left - 6, tick.pixel + 4, shown, {.anchor = Anchor::end, .size = kSmall});
  }
  svg.line(plot.left, plot.top, plot.left, plot.bottom, kAxis);
  if (!label.empty())
    svg.text(14, (plot.top + plot.bottom) / 2, label,
             {.anchor = Anchor::middle, .size = kSmall, .turn = -90, .opacity = 0.8});
}

void draw_empty(Svg& svg, const Plot& plot, const std::string& text) {
  svg.frame(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top, kFaint);
  svg.text((plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2, text,
           {.anchor = Anchor::middle, .opacity = 0.7});
}

struct LegendEntry {
  std::string name, colour;
  bool dot;
};

// Entries side by side from x; entries that no longer fit are left out, for the tooltips name them too.
void draw_legend(Svg& svg, double x, double y, const std::vector<LegendEntry>& entries) {
  for (const auto& [name, colour, dot] : entries) {
    const std::string shown = cut_to_width(name, 160, kSmall);
    const double width = 24 + text_width(shown, kSmall) + 10;
    if (x + width > svg.width()) return;
    if (dot) svg.circle(x + 8, y - 4, 3.5, colour);
    else svg.rect(x, y - 6, 16, 4, colour);
    svg.text(x + 22, y, shown, {.size = kSmall});
    x += width;
  }
}

std::string percent_text(double share) {
  if (share > 0 && share < 0.001) return "<0.1 %";
  return share > 0 && share < 0.0995 ? fmt::format("{:.1f} %", share * 100) : fmt::format("{:.0f} %", share * 100);
}

}  // namespace

Svg line_chart(const LineChart& chart) {
  Svg svg(chart.width, chart.height);
  const Plot plot{58, kTitleHeight + kLegendHeight + 6, chart.width - 16, chart.height - 42};
  draw_title(svg, chart.title);
  double low = HUGE_VAL, high = -HUGE_VAL;
  int64_t left_out = 0;
  for (const auto& s : chart.series) {
    internal_check(s.values.size() == chart.x.size(), "a line chart got ", s.values.size(), " values of '", s.name,
                   "' for ", chart.x.size(), " positions");
    for (double v : s.values) {
      if (std::isinf(v)) ++left_out;
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  if (low > high) {
    draw_empty(svg, plot, "no values");
    return svg;
  }
  if (chart.from_zero) low = std::min(low, 0.0), high = std::max(high, 0.0);
  const Axis y(low, high, plot.bottom, plot.top);
  // Between two epochs there is none: no more ticks than whole steps.
  const bool whole = std::all_of(chart.x.begin(), chart.x.end(), [](double v) { return v == std::floor(v); });
  const double range = chart.x.back() - chart.x.front();
  const Axis x(chart.x.front(), chart.x.back(), plot.left + 8, plot.right - 8,
               whole ? int(std::clamp(range, 1.0, 8.0)) : 8, true);
  draw_y_axis(svg, y, plot, chart.y_label);
  svg.line(plot.left, plot.bottom, plot.right, plot.bottom, kAxis);
  for (const auto& tick : x.ticks()) {
    if (chart.x.size() > 1 || tick.value == chart.x[0]) {
      svg.line(tick.pixel, plot.bottom, tick.pixel, plot.bottom + 4, kAxis);
      svg.text(tick.pixel, plot.bottom + 17, tick.label, {.anchor = Anchor::middle, .size = kSmall});
    }
  }
  svg.text((plot.left + plot.right) / 2, chart.height - 8, chart.x_label,
           {.anchor = Anchor::middle, .size = kSmall, .opacity = 0.8});
  if (!chart.best_label.empty()) {
    const double at = x.pixel(chart.best_x);
    svg.line(at, plot.top, at, plot.bottom, {.width = 1, .opacity = 0.7, .dash = "4 3"});
    const bool right_half = at > (plot.left + plot.right) / 2;
    svg.text(at + (right_half ? -5 : 5), plot.top + 10, chart.best_label,
             {.anchor = right_half ? Anchor::end : Anchor::start, .size = kSmall});
  }
  std::vector<LegendEntry> legend;
  for (const auto& s : chart.series) {
    if (!s.name.empty()) legend.push_back({s.name, s.colour, s.mark == Series::Mark::dots});
    std::vector<std::pair<double, double>> points;
    for (size_t i = 0; i < chart.x.size(); ++i) points.emplace_back(x.pixel(chart.x[i]), y.pixel(s.values[i]));
    if (s.mark != Series::Mark::dots) svg.polyline(points, {.colour = s.colour, .width = 2});
    // Tooltips: every value where there are few, otherwise a reader has the table of the run (metrics.csv).
    const double radius = s.mark == Series::Mark::line ? 2 : 3;
    const size_t stride = chart.x.size() / 1000 + 1;
    for (size_t i = 0; i < points.size(); i += stride)
      if (std::isfinite(s.values[i]))
        svg.circle(points[i].first, points[i].second, radius, s.colour,
                   fmt::format("{}: {} {}, {}", s.name, chart.x_label, readable(chart.x[i], 6), readable(s.values[i])),
                   s.mark == Series::Mark::dots ? 0.8 : 1);
  }
  draw_legend(svg, plot.left, kTitleHeight + 14, legend);
  if (left_out > 0)
    svg.text(chart.width - 8, 17, fmt::format("{} infinite values left out", left_out),
             {.anchor = Anchor::end, .size = kSmall});
  return svg;
}

Svg bar_chart(const BarChart& chart) {
  Svg svg(chart.width, chart.height);
  const size_t n = chart.groups.size();
  double widest = 0;
  for (const auto& g : chart.groups) widest = std::max(widest, text_width(g, kSmall));
  const double left = 58, slot = n ? (chart.width - left - 16) / double(n) : 0;
  const bool slanted = widest > slot - 6;
  const double foot = slanted ? 24 + std::min(widest, 110.0) * 0.64 : 28;
  const Plot plot{left, kTitleHeight + kLegendHeight + 6, chart.width - 16, chart.height - foot};
  draw_title(svg, chart.title);
  double low = 0, high = 0;
  for (const auto& b : chart.bars) {
    internal_check(b.values.size() == n, "a bar chart got ", b.values.size(), " values of '", b.name, "' for ", n,
                   " groups");
    for (double v : b.values)
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  if (n == 0 || chart.bars.empty()) {
    draw_empty(svg, plot, "no values");
    return svg;
  }
  if (low == 0 && high == 0) high = 1;
  const Axis y(low, high, plot.bottom, plot.top);
  draw_y_axis(svg, y, plot, chart.y_label, chart.percent);
  const double zero = y.pixel(0), room = slot * 0.78, each = room / double(chart.bars.size());
  std::vector<LegendEntry> legend;
  for (size_t b = 0; b < chart.bars.size(); ++b) {
    const auto& bars = chart.bars[b];
    legend.push_back({bars.name, bars.colour, false});
    for (size_t g = 0; g < n; ++g) {
      const double v = bars.values[g];
      if (!std::isfinite(v)) continue;
      const double at = y.pixel(v), x = plot.left + slot * (double(g) + 0.11) + each * double(b);
      const bool own = g < chart.colours.size();
      const std::string shown = chart.percent ? percent_text(v) : readable(v, 6);
      std::string title = chart.groups[g];
      if (!bars.name.empty()) title += ", " + bars.name;
      svg.rect(x, std::min(at, zero), std::max(1.0, each - 1), std::abs(zero - at),
               own ? chart.colours[g] : bars.colour, title + ": " + shown);
      if (v != 0 && text_width(shown, 10) < each + 4)
        svg.text(x + each / 2, std::min(at, zero) - 4, shown, {.anchor = Anchor::middle, .size = 10, .opacity = 0.85});
    }
  }
  svg.line(plot.left, zero, plot.right, zero, kAxis);
  // Labels below the slots, as many as fit.
  const size_t stride = slot >= 12 ? 1 : size_t(std::ceil(12 / std::max(slot, 1e-3)));
  for (size_t g = 0; g < n; g += stride) {
    const double x = plot.left + slot * (double(g) + 0.5);
    if (slanted)
      svg.text(x + 4, plot.bottom + 14, cut_to_width(chart.groups[g], 110, kSmall),
               {.anchor = Anchor::end, .size = kSmall, .turn = -40});
    else svg.text(x, plot.bottom + 17, chart.groups[g], {.anchor = Anchor::middle, .size = kSmall});
  }
  if (chart.bars.size() > 1) draw_legend(svg, plot.left, kTitleHeight + 14, legend);
  return svg;
}

Svg confusion_chart(const ConfusionMatrix& m, const std::string& title) {
  const int64_t k = m.class_count();
  double widest = 40;
  for (const auto& c : m.classes()) widest = std::max(widest, text_width(c.name, kSmall));
  widest = std::min(widest, 130.0);
  const bool with_text = k <= 40;
  const double cell = std::clamp(k <= 8 ? 64.0 : 640.0 / double(k), with_text ? 30.0 : 3.0, 64.0);
  const double cell_h = with_text ? std::max(30.0, cell * 0.62) : cell;
  const double left = 34 + widest + 16, head = 20 + widest * 0.72, top = kTitleHeight + 16 + head;
  Svg svg(std::max(kChartWidth, left + cell * double(k) + 90), top + cell_h * double(k) + 14);
  draw_title(svg, title);
  const auto shares = m.row_shares();
  svg.text(left + cell * double(k) / 2, kTitleHeight + 14, "predicted",
           {.anchor = Anchor::middle, .size = kSmall, .opacity = 0.8});
  svg.text(14, top + cell_h * double(k) / 2, "true",
           {.anchor = Anchor::middle, .size = kSmall, .turn = -90, .opacity = 0.8});
  const int64_t label_stride = cell_h >= 12 ? 1 : int64_t(std::ceil(12 / cell_h));
  for (int64_t t = 0; t < k; ++t) {
    const double y = top + cell_h * double(t);
    const auto& [name, colour] = m.classes()[size_t(t)];
    if (t % label_stride == 0) {
      svg.text(left - 16, y + cell_h / 2 + 4, cut_to_width(name, widest, kSmall),
               {.anchor = Anchor::end, .size = kSmall});
      svg.text(left + cell * (double(t) + 0.5) + 2, top - 14, cut_to_width(name, widest, kSmall),
               {.size = kSmall, .turn = -40});
    }
    svg.rect(left - 11, y + 2, 6, std::max(1.0, cell_h - 4), colour);
    svg.rect(left + cell * double(t) + 2, top - 10, std::max(1.0, cell - 4), 5, colour);
    if (with_text)
      svg.text(left + cell * double(k) + 8, y + cell_h / 2 + 4, grouped(m.support(t)),
               {.size = kSmall, .opacity = 0.8});
    for (int64_t p = 0; p < k; ++p) {
      const double x = left + cell * double(p), share = shares[size_t(t * k + p)];
      const int64_t count = m.count(t, p);
      const std::string tip = fmt::format("true {}, predicted {}: {} ({} of the true {})", name,
                                          m.classes()[size_t(p)].name, grouped(count), percent_text(share), name);
      // Blue for what is right, vermilion for what is wrong; white text once the cell is dark.
      svg.rect(x, y, cell - 1, cell_h - 1, "currentColor", {}, 0.05);
      if (count > 0) svg.rect(x, y, cell - 1, cell_h - 1, t == p ? "#0072b2" : "#d55e00", tip, 0.12 + 0.88 * share);
      if (!with_text || count == 0) continue;
      const std::string colour_of_text = share > 0.55 ? "#ffffff" : "currentColor";
      const double size = cell >= 44 ? kSmall : 9;
      svg.text(x + cell / 2 - 0.5, y + cell_h / 2 - 1, percent_text(share),
               {.anchor = Anchor::middle, .size = size, .bold = t == p, .colour = colour_of_text});
      const std::string shown = grouped(count);
      if (text_width(shown, size - 1) < cell)
        svg.text(x + cell / 2 - 0.5, y + cell_h / 2 + 11, shown,
                 {.anchor = Anchor::middle, .size = size - 1, .colour = colour_of_text, .opacity = 0.85});
    }
  }
  if (with_text) svg.text(left + cell * double(k) + 8, top - 10, "samples", {.size = kSmall, .opacity = 0.8});
  return svg;
}

Svg per_class_chart(const ConfusionMatrix& m, const std::string& title) {
  struct Figure {
    const char* name;
    const char* colour;
    double (ConfusionMatrix::*value)(int64_t) const;
  };
  const Figure figures[] = {{"precision", "#56b4e9", &ConfusionMatrix::precision},
                            {"recall", "#009e73", &ConfusionMatrix::recall},
                            {"F1", "#e69f00", &ConfusionMatrix::f1},
                            {"IoU", "#0072b2", &ConfusionMatrix::iou}};
  constexpr double kBar = 8, kGap = 14;
  double widest = 40;
  for (const auto& c : m.classes()) widest = std::max(widest, text_width(c.name, kSmall));
  widest = std::min(widest, 150.0);
  const double group = 4 * kBar + kGap, top = kTitleHeight + kLegendHeight + 10;
  const Plot plot{widest + 34, top, kChartWidth - 50, top + group * double(m.class_count())};
  Svg svg(kChartWidth, plot.bottom + 26);
  draw_title(svg, title);
  const Axis x(0, 1, plot.left, plot.right, 5, true);
  for (const auto& tick : x.ticks()) {
    svg.line(tick.pixel, plot.top, tick.pixel, plot.bottom, kFaint);
    svg.text(tick.pixel, plot.bottom + 15, tick.label, {.anchor = Anchor::middle, .size = kSmall});
  }
  for (int64_t c = 0; c < m.class_count(); ++c) {
    const double y = plot.top + group * double(c) + kGap / 2;
    const auto& [name, colour] = m.classes()[size_t(c)];
    svg.rect(plot.left - 14, y, 8, 4 * kBar - 1, colour);
    svg.text(plot.left - 20, y + 2 * kBar + 4, cut_to_width(name, widest, kSmall),
             {.anchor = Anchor::end, .size = kSmall});
    if (!m.present(c)) {
      svg.text(plot.left + 6, y + 2 * kBar + 4, "absent", {.size = kSmall, .opacity = 0.7});
      continue;
    }
    for (size_t f = 0; f < 4; ++f) {
      const auto value = figures[f].value;
      const double v = (m.*value)(c);
      svg.rect(plot.left, y + double(f) * kBar, x.pixel(v) - plot.left, kBar - 1, figures[f].colour,
               fmt::format("{}: {} {:.3f}", name, figures[f].name, v));
    }
    const double iou = m.iou(c);
    svg.text(x.pixel(iou) + 4, y + 4 * kBar, fmt::format("{:.3f}", iou), {.size = 9, .opacity = 0.85});
  }
  svg.line(plot.left, plot.top, plot.left, plot.bottom, kAxis);
  draw_legend(svg, plot.left, kTitleHeight + 14,
              {{"precision", "#56b4e9", false},
               {"recall", "#009e73", false},
               {"F1", "#e69f00", false},
               {"IoU", "#0072b2", false}});
  return svg;
}

}  // namespace kern::training
