#include "training/report/seismic_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/seismic_image.h"

namespace kern::training {
namespace {
constexpr double kLeft = 84, kRight = 18, kTop = 34, kBottom = 46;
constexpr const char* kMark = "#d1495b";

// Line numbers and coordinates in full, not as 6.478e+06.
std::string label_of(const Axis::Tick& t) {
  const bool whole = t.value == std::round(t.value) && std::abs(t.value) < 1e9;
  return whole ? fmt::format("{:.0f}", t.value) : t.label;
}

// Ticks, their numbers and the labels of both axes round a frame.
void draw_axes(Svg& svg, const Axis& x, const Axis& y, const std::string& x_label, const std::string& y_label,
               const std::string& title) {
  const double right = svg.width() - kRight, bottom = svg.height() - kBottom;
  svg.frame(kLeft, kTop, right - kLeft, bottom - kTop, {});
  for (const Axis::Tick& t : x.ticks()) {
    svg.line(t.pixel, bottom, t.pixel, bottom + 5, {});
    svg.text(t.pixel, bottom + 18, label_of(t), {.anchor = Anchor::middle});
  }
  for (const Axis::Tick& t : y.ticks()) {
    svg.line(kLeft - 5, t.pixel, kLeft, t.pixel, {});
    svg.text(kLeft - 8, t.pixel + 4, label_of(t), {.anchor = Anchor::end});
  }
  svg.text((kLeft + right) / 2, svg.height() - 10, x_label, {.anchor = Anchor::middle});
  svg.text(16, (kTop + bottom) / 2, y_label, {.anchor = Anchor::middle, .turn = -90});
  svg.text(kLeft, 20, title, {.size = 14, .bold = true});
}
}  // namespace

double SectionFigure::image_width() const { return width - kLeft - kRight; }
double SectionFigure::image_height() const { return height - kTop - kBottom; }

Svg section_figure(const SectionFigure& s) {
  Svg svg(s.width, s.height);
  const double right = s.width - kRight, bottom = s.height - kBottom;
  svg.image(kLeft, kTop, right - kLeft, bottom - kTop, s.png);
  // The first and last number stand in the middle of their columns, close enough for a label.
  const bool descends = s.x_last < s.x_first;
  const Axis x(std::min(s.x_first, s.x_last), std::max(s.x_first, s.x_last), descends ? right : kLeft,
               descends ? kLeft : right, 8, true);
  const Axis y(s.y_first, s.y_last, kTop, bottom, 8, true);
  draw_axes(svg, x, y, s.x_label, s.y_label, s.title);
  return svg;
}

Svg fault_colours(double from) {
  constexpr int kSteps = 48;
  constexpr double kStep = 5, kBar = 16, kSide = 12;
  Svg svg(2 * kSide + kSteps * kStep, kBar + 22);
  for (int i = 0; i < kSteps; ++i) {
    const data::Rgb c = data::fault_colour(double(i) / (kSteps - 1));
    svg.rect(kSide + i * kStep, 2, kStep + 0.5, kBar, fmt::format("#{:02x}{:02x}{:02x}", c[0], c[1], c[2]));
  }
  svg.text(kSide, kBar + 18, readable(from), {});
  svg.text(kSide + kSteps * kStep, kBar + 18, "1", {.anchor = Anchor::end});
  svg.text(kSide + kSteps * kStep / 2, kBar + 18, "fault probability", {.anchor = Anchor::middle});
  return svg;
}

Svg base_map(const BaseMap& map) {
  Svg svg(map.width, map.height);
  const double inf = std::numeric_limits<double>::infinity();
  double x0 = inf, x1 = -inf, y0 = inf, y1 = -inf;
  const auto look = [&](const std::vector<std::pair<double, double>>& line) {
    for (const auto& [x, y] : line)
      x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
  };
  for (const auto& line : map.lines) look(line);
  look(map.marked);
  const double right = map.width - kRight, bottom = map.height - kBottom, across = right - kLeft, up = bottom - kTop;
  double dx = std::max(x1 - x0, 0.0), dy = std::max(y1 - y0, 0.0);
  if (map.metric && std::max(dx, dy) > 0) {  // the same scale both ways, the survey in the middle
    const double scale = std::max(dx / across, dy / up) * 1.06;
    const double mx = (x0 + x1) / 2, my = (y0 + y1) / 2;
    dx = scale * across, dy = scale * up;
    x0 = mx - dx / 2, x1 = mx + dx / 2, y0 = my - dy / 2, y1 = my + dy / 2;
  }
  const Axis x(x0, x1, kLeft, right, 5, true), y(y0, y1, bottom, kTop, 6, true);
  draw_axes(svg, x, y, map.x_label, map.y_label, map.title);
  const auto draw = [&](const std::vector<std::pair<double, double>>& line, const Svg::Stroke& stroke) {
    std::vector<std::pair<double, double>> pixels;
    for (const auto& [px, py] : line) pixels.emplace_back(x.pixel(px), y.pixel(py));
    svg.polyline(pixels, stroke);
  };
  for (const auto& line : map.lines) draw(line, {.colour = "#5b8fb9", .width = 1, .opacity = 0.7});
  draw(map.marked, {.colour = kMark, .width = 2.5});
  if (!map.marked_name.empty())
    svg.text(right - 6, kTop + 18, map.marked_name, {.anchor = Anchor::end, .colour = kMark});
  return svg;
}

}  // namespace kern::training
