#include "training/report/log_tracks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

constexpr double kLeft = 66, kTitle = 30, kHeader = 52, kGap = 8, kErrorWidth = 14, kSmall = 10;
constexpr int kNothing = -1;
constexpr size_t kMaxTooltips = 150;  // per column of classes
const char* const kCurveColours[] = {"#2e9e5b", "#3f7fd0", "#c0504d", "#8e6bbf", "#b8860b", "#2aa1a1"};
const Svg::Stroke kFaint{.width = 1, .opacity = 0.15};
const Svg::Stroke kFrame{.width = 1, .opacity = 0.5};

// Samples [first, last) drawn from y0 to y1.
struct Cell {
  double y0, y1;
  size_t first, last;
};

double usual_step(const std::vector<double>& depth) {
  std::vector<double> steps;
  for (size_t i = 1; i < depth.size(); ++i) steps.push_back(depth[i] - depth[i - 1]);
  if (steps.empty()) return 1;
  if (const double middle = median_high(steps); middle > 0) return middle;
  return depth.back() > depth.front() ? (depth.back() - depth.front()) / double(depth.size()) : 1;
}

// One cell per sample, reaching half-way to its neighbours (half a step at a gap); or, where there are more samples
// than rows, one per row that holds any.
std::vector<Cell> cells_of(const std::vector<double>& depth, const Axis& axis, double top, double height, size_t rows,
                           double step) {
  std::vector<Cell> cells;
  if (depth.size() <= rows) {
    for (size_t i = 0; i < depth.size(); ++i) {
      const double above = i > 0 ? std::min((depth[i] - depth[i - 1]) / 2, step) : step / 2;
      const double below = i + 1 < depth.size() ? std::min((depth[i + 1] - depth[i]) / 2, step) : step / 2;
      cells.push_back({axis.pixel(depth[i] - above), axis.pixel(depth[i] + below), i, i + 1});
    }
    return cells;
  }
  const double row_height = height / double(rows);
  size_t row_before = rows;  // none
  for (size_t i = 0; i < depth.size(); ++i) {
    const double at = (axis.pixel(depth[i]) - top) / row_height;
    const size_t row = size_t(std::clamp(at, 0.0, double(rows - 1)));
    if (row != row_before) cells.push_back({top + row_height * double(row), top + row_height * double(row + 1), i, i});
    cells.back().last = i + 1;
    row_before = row;
  }
  // Rows that hold no sample although the depth has no gap there (rounding) would show as white hairlines.
  for (size_t c = 1; c < cells.size(); ++c)
    if (cells[c].y0 - cells[c - 1].y1 <= 1.5 * row_height &&
        depth[cells[c].first] - depth[cells[c].first - 1] <= 2 * step)
      cells[c - 1].y1 = cells[c].y0;
  return cells;
}

// Runs of one class down a column.
struct Run {
  double y0, y1;
  size_t first, last;
  int value;
};
std::vector<Run> runs_of(const std::vector<Cell>& cells, const std::vector<int>& value_of_cell) {
  std::vector<Run> runs;
  for (size_t c = 0; c < cells.size(); ++c) {
    if (value_of_cell[c] == kNothing) continue;
    const bool joins = !runs.empty() && runs.back().value == value_of_cell[c] && cells[c].y0 <= runs.back().y1 + 0.01;
    if (joins) {
      runs.back().y1 = cells[c].y1;
      runs.back().last = cells[c].last;
    } else {
      runs.push_back({cells[c].y0, cells[c].y1, cells[c].first, cells[c].last, value_of_cell[c]});
    }
  }
  return runs;
}

std::vector<int> commonest(const std::vector<Cell>& cells, const std::vector<int>& values, size_t classes) {
  std::vector<int> out;
  std::vector<size_t> votes(classes);
  for (const auto& cell : cells) {
    std::fill(votes.begin(), votes.end(), 0);
    for (size_t i = cell.first; i < cell.last; ++i)
      if (values[i] >= 0) ++votes[size_t(values[i])];
    const auto best = std::max_element(votes.begin(), votes.end());
    out.push_back(*best > 0 ? int(best - votes.begin()) : kNothing);
  }
  return out;
}

std::string box(double x, double width, const Run& r) {
  return fmt::format("M{} {}h{}V{}h{}z", coordinate(x), coordinate(std::round(r.y0 * 10) / 10), coordinate(width),
                     coordinate(std::round(r.y1 * 10) / 10), coordinate(-width));
}

std::string depth_span(const WellTrack& well, size_t first, size_t last) {
  return fmt::format("{:.1f}–{:.1f} {}", well.depth[first], well.depth[last - 1], well.depth_unit);
}

// A column of classes: few runs as shapes with their depth in the tooltip, many as one path per class.
void draw_runs(Svg& svg, double x, double width, const std::vector<Run>& runs, const ClassList& classes,
               const WellTrack& well) {
  if (runs.size() <= kMaxTooltips) {
    for (const auto& r : runs)
      svg.path(box(x, width, r), classes[size_t(r.value)].colour,
               classes[size_t(r.value)].name + ", " + depth_span(well, r.first, r.last));
    return;
  }
  for (size_t c = 0; c < classes.size(); ++c) {
    std::string data;
    for (const auto& r : runs)
      if (r.value == int(c)) data += box(x, width, r);
    if (!data.empty()) svg.path(data, classes[c].colour, classes[c].name);
  }
}

// The scale that logs are usually plotted on, left to right: porosity and sonic run backwards, so that they part from
// the density where there is gas, and meet it where there is none. In the unit of the second value.
struct Habit {
  const char *mnemonics, *units;
  double left, right;
};
constexpr Habit kHabits[] = {{" GR SGR CGR GRC ", "", 0, 150},
                             {" NPHI TNPH NPOR NPHI_LS ", " v/v m3/m3 ft3/ft3 frac dec ", 0.45, -0.15},
                             {" NPHI TNPH NPOR NPHI_LS ", " % pu p.u. ", 45, -15},
                             {" RHOB ZDEN DEN RHOZ ", " g/cm3 g/cc g/c3 gm/cc ", 1.95, 2.95},
                             {" RHOB ZDEN DEN RHOZ ", " kg/m3 k/m3 ", 1950, 2950},
                             {" DT DTC DTCO AC ", " us/ft us/f usec/ft ", 140, 40},
                             {" DT DTC DTCO AC ", " us/ft us/f usec/ft ", 240, 40},
                             {" DT DTC DTCO AC ", " us/m usec/m ", 500, 100}};

// Whether the list has the word, whatever its case; an empty list or word is no reason against it.
bool listed(const char* list, std::string word, char to_case) {
  for (char& c : word)
    c = char(to_case == 'A' ? std::toupper(static_cast<unsigned char>(c))
                            : std::tolower(static_cast<unsigned char>(c)));
  return word.empty() || *list == '\0' || std::string(list).find(" " + word + " ") != std::string::npos;
}

// That of a curve: one that holds nearly all of its values, or, if none does, one that they leave by half its width.
const Habit* habit_of(const TrackCurve& curve, double low, double high) {
  for (const double beyond : {0.1, 0.5})
    for (const Habit& h : kHabits) {
      const double least = std::min(h.left, h.right), most = std::max(h.left, h.right), width = most - least;
      const bool fits = low > least - beyond * width && high < most + beyond * width && high - low > 0.05 * width;
      if (fits && !curve.name.empty() && listed(h.mnemonics, curve.name, 'A') && listed(h.units, curve.unit, 'a'))
        return &h;
    }
  return nullptr;
}

struct CurveScale {
  bool logarithmic = false;
  double low = 0, high = 1;  // at the left and at the right; the left may be the larger one
  std::string low_label, high_label;
  const Habit* habit = nullptr;
  bool empty = false;             // the curve has no value at all
  double share(double v) const {  // 0 at the left of the track, 1 at its right; beyond: the edge
    if (logarithmic) v = v > 0 ? std::log10(v) : low;
    return std::clamp((v - low) / (high - low), 0.0, 1.0);
  }
};

CurveScale scale_of(const TrackCurve& curve) {
  CurveScale scale;
  std::vector<double> values;
  for (float v : curve.values)
    if (std::isfinite(v)) values.push_back(v);
  scale.empty = values.empty();
  if (scale.empty) return scale;
  const double low = quantile_nearest(values, 0.005), high = quantile_nearest(values, 0.995);
  std::string unit = curve.unit.substr(0, 3);
  for (char& c : unit) c = c >= 'A' && c <= 'Z' ? char(c + 32) : c;
  if (unit == "ohm" && low > 0) {
    scale.logarithmic = true;
    scale.low = std::floor(std::log10(low));
    scale.high = std::max(scale.low + 1, std::ceil(std::log10(high)));
    scale.low_label = readable(std::pow(10, scale.low));
    scale.high_label = readable(std::pow(10, scale.high));
    return scale;
  }
  if (const Habit* habit = habit_of(curve, low, high)) {
    scale.habit = habit;
    scale.low = habit->left, scale.high = habit->right;
    scale.low_label = readable(habit->left), scale.high_label = readable(habit->right);
    return scale;
  }
  const Axis axis(low, high, 0, 1, 4);
  scale.low = axis.low();
  scale.high = axis.high();
  scale.low_label = axis.ticks().front().label;
  scale.high_label = axis.ticks().back().label;
  return scale;
}

// For each curve the one in whose track it is drawn: its own, but for a porosity, which lies over a density.
std::vector<size_t> tracks_of(const std::vector<CurveScale>& scales) {
  const auto is = [&](size_t c, const char* mnemonics) {
    return scales[c].habit && std::string_view(scales[c].habit->mnemonics).starts_with(mnemonics);
  };
  std::vector<size_t> track;
  size_t density = scales.size();
  for (size_t c = 0; c < scales.size(); ++c)
    if (density == scales.size() && is(c, " RHOB ")) density = c;
  bool taken = density == scales.size();
  for (size_t c = 0; c < scales.size(); ++c) {
    const bool over = !taken && is(c, " NPHI ");
    track.push_back(over ? density : c);
    taken = taken || over;
  }
  return track;
}

// The name, unit and scale stand at `top`, the curve below `plot`.
void draw_curve(Svg& svg, double x, double width, double top, double plot, const TrackCurve& curve,
                const CurveScale& scale, const std::string& colour, const std::vector<Cell>& cells, double height) {
  svg.text(x + width / 2, top + 14, cut_to_width(curve.name, width - 4, 12), {.anchor = Anchor::middle, .bold = true});
  svg.text(x + width / 2, top + 27, cut_to_width(curve.unit, width - 4, kSmall),
           {.anchor = Anchor::middle, .size = kSmall, .opacity = 0.8});
  svg.frame(x, plot, width, height, kFrame);
  if (scale.empty) {
    svg.text(x + width / 2, plot + height / 2, "no values", {.anchor = Anchor::middle, .size = kSmall, .opacity = 0.7});
    return;
  }
  svg.line(x + 1, top + 34, x + width - 1, top + 34, {.colour = colour, .width = 2});
  svg.text(x + 1, top + 46, scale.low_label, {.size = kSmall});
  svg.text(x + width - 1, top + 46, scale.high_label, {.anchor = Anchor::end, .size = kSmall});
  if (scale.logarithmic)
    svg.text(x + width / 2, top + 46, "log", {.anchor = Anchor::middle, .size = kSmall, .opacity = 0.7});
  const int divisions = scale.logarithmic ? int(std::min(12.0, scale.high - scale.low)) : 4;
  for (int d = 1; d < divisions; ++d)
    svg.line(x + width * d / divisions, plot, x + width * d / divisions, plot + height, kFaint);

  std::vector<std::pair<double, double>> points;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  double before = 0;
  for (size_t c = 0; c < cells.size(); ++c) {
    const auto& cell = cells[c];
    const double y = std::round((cell.y0 + cell.y1)) / 2;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = cell.first; i < cell.last; ++i)
      if (std::isfinite(curve.values[i])) {
        low = std::min(low, double(curve.values[i]));
        high = std::max(high, double(curve.values[i]));
      }
    const bool depth_gap = c > 0 && cell.y0 > cells[c - 1].y1 + 0.01;
    if (depth_gap) points.emplace_back(nan, nan);
    if (low > high) {
      points.emplace_back(nan, nan);
      continue;
    }
    const auto at = [&](double v) { return std::round((x + 1 + scale.share(v) * (width - 2)) * 10) / 10; };
    double near = at(low), far = at(high);
    if (std::abs(far - before) < std::abs(near - before)) std::swap(near, far);
    points.emplace_back(near, y);
    if (near != far) points.emplace_back(far, y);
    before = far;
  }
  svg.polyline(points, {.colour = colour, .width = cells.size() > 300 ? 0.9 : 1.3});
}

// Areas from the left edge to the cumulated probability, the last class first, so that each covers a part of the one
// before.
void draw_probabilities(Svg& svg, double x, double width, const WellTrack& well, const ClassList& classes,
                        const std::vector<Cell>& cells) {
  const size_t k = classes.size();
  std::vector<std::vector<int>> edge(k, std::vector<int>(cells.size()));
  for (size_t c = 0; c < cells.size(); ++c) {
    std::vector<double> sum(k, 0.0);
    double all = 0;
    for (size_t i = cells[c].first; i < cells[c].last; ++i)
      for (size_t j = 0; j < k; ++j) {
        const float p = well.probabilities[i * k + j];
        if (std::isfinite(p) && p > 0) sum[j] += p, all += p;
      }
    double part = 0;
    for (size_t j = 0; j < k; ++j) {
      part += sum[j];
      edge[j][c] = all > 0 ? int(std::lround(width * part / all)) : 0;
    }
  }
  for (size_t j = k; j-- > 0;) {
    std::string data;
    double open_until = -1;  // a depth gap closes the area
    int last = 0;
    const auto close = [&] {
      if (open_until >= 0) data += "H" + coordinate(x) + "z";
      open_until = -1;
    };
    for (size_t c = 0; c < cells.size(); ++c) {
      if (open_until >= 0 && cells[c].y0 > open_until + 0.01) close();
      if (open_until < 0) {
        data += "M" + coordinate(x) + " " + coordinate(cells[c].y0) + "H" + coordinate(x + edge[j][c]);
        last = edge[j][c];
      } else if (edge[j][c] != last) {
        data += "V" + coordinate(cells[c].y0) + "H" + coordinate(x + edge[j][c]);
        last = edge[j][c];
      }
      const bool turns = c + 1 == cells.size() || cells[c + 1].y0 > cells[c].y1 + 0.01;
      if (turns) data += "V" + coordinate(cells[c].y1);
      open_until = cells[c].y1;
    }
    close();
    if (!data.empty()) svg.path(data, classes[j].colour, classes[j].name);
  }
}

void check_well(const WellTrack& w, size_t classes) {
  const size_t n = w.depth.size();
  const auto fits = [&](size_t length, size_t expected, const char* what) {
    internal_check(length == expected, "log tracks of well ", w.id, ": ", length, " values of ", what, ", ", expected,
                   " expected");
  };
  for (const auto& c : w.curves) fits(c.values.size(), n, c.name.c_str());
  if (!w.truth.empty()) fits(w.truth.size(), n, "the truth");
  if (!w.prediction.empty()) fits(w.prediction.size(), n, "the prediction");
  if (!w.probabilities.empty()) fits(w.probabilities.size(), n * classes, "the probabilities");
  for (size_t i = 0; i < n; ++i)
    internal_check(std::isfinite(w.depth[i]) && (i == 0 || w.depth[i] >= w.depth[i - 1]), "log tracks of well ", w.id,
                   ": its depth does not ascend at sample ", i);
  std::vector<const std::vector<int>*> columns{&w.truth, &w.prediction};
  for (const TrackClasses& other : w.others) {
    fits(other.values.size(), n, other.name.c_str());
    columns.push_back(&other.values);
  }
  for (const auto* column : columns)
    for (int v : *column)
      internal_check(v >= -1 && v < int(classes), "log tracks of well ", w.id, ": there is no class ", v);
}

double legend_height(const ClassList& classes, double width);
void draw_legend(Svg& svg, const ClassList& classes, double left, double top, double width);

}  // namespace

int64_t WellTrack::labelled() const {
  return std::count_if(truth.begin(), truth.end(), [](int t) { return t >= 0; });
}

double WellTrack::accuracy() const {
  const int64_t n = labelled();
  if (n == 0 || prediction.size() != truth.size()) return std::numeric_limits<double>::quiet_NaN();
  int64_t right = 0;
  for (size_t i = 0; i < truth.size(); ++i) right += truth[i] >= 0 && truth[i] == prediction[i];
  return double(right) / double(n);
}

Svg log_tracks(const WellTrack& well, const ClassList& classes, const TrackStyle& style) {
  check_well(well, classes.size());
  const size_t shown = std::min(well.curves.size(), size_t(std::max<int64_t>(style.most_curves, 0)));
  const bool truth = !well.truth.empty(), prediction = !well.prediction.empty(),
             probabilities = !well.probabilities.empty();
  std::vector<CurveScale> scales;
  for (size_t c = 0; c < shown; ++c) scales.push_back(scale_of(well.curves[c]));
  const std::vector<size_t> track = tracks_of(scales);
  size_t tracks = 0;
  for (size_t c = 0; c < shown; ++c) tracks += track[c] == c;
  double width = kLeft + double(tracks) * (style.curve_width + kGap) + (truth ? style.class_width + kGap : 0) +
                 (prediction ? style.class_width + kGap : 0) + (probabilities ? 1.4 * style.class_width + kGap : 0) +
                 (truth && prediction ? kErrorWidth + 22 : 0) + 8;
  width += double(well.others.size()) * (style.class_width + kGap + (truth ? kErrorWidth + 22 : 0));
  width = std::max(width, 300.0);
  // Where two curves share a track, one is named above the other.
  const double heads = kTitle + (tracks < shown ? kHeader : 0), top = heads + kHeader,
               height = std::max(40.0, style.height);
  const bool some_left = shown < well.curves.size();
  const double foot = 12 + (some_left ? 18 : 0) + (style.legend ? legend_height(classes, width) : 0);
  Svg svg(width, top + height + foot);

  std::string title = well.id;
  std::string facts = grouped(int64_t(well.depth.size())) + " samples";
  if (const double accuracy = well.accuracy(); !std::isnan(accuracy))
    facts = fmt::format("accuracy {:.3f}, ", accuracy) + facts;
  const double facts_width = text_width(facts, 11);
  svg.text(8, 18, cut_to_width(title, width - facts_width - 30, 14), {.size = 14, .bold = true});
  svg.text(width - 8, 18, facts, {.anchor = Anchor::end, .size = 11, .opacity = 0.85});
  if (well.depth.empty()) {
    svg.text(width / 2, top + height / 2, "no samples", {.anchor = Anchor::middle, .opacity = 0.7});
    return svg;
  }

  const double step = usual_step(well.depth);
  const Axis axis(well.depth.front() - step / 2, well.depth.back() + step / 2, top, top + height,
                  int(std::max(2.0, height / 60)), true);
  const size_t rows = size_t(height);
  const auto cells = cells_of(well.depth, axis, top, height, rows, step);
  // Many curves share the size of the file: above five, each is drawn in rows of two pixels.
  const auto curve_cells = shown > 5 ? cells_of(well.depth, axis, top, height, rows / 2, step) : cells;

  svg.text(kLeft - 8, heads + 46,
           well.depth_unit.empty() ? "depth" : "depth, " + cut_to_width(well.depth_unit, 24, kSmall),
           {.anchor = Anchor::end, .size = kSmall, .opacity = 0.85});
  for (const auto& tick : axis.ticks()) {
    svg.line(kLeft - 4, tick.pixel, width - 8, tick.pixel, kFaint);
    svg.text(kLeft - 8, tick.pixel + 4, tick.label, {.anchor = Anchor::end, .size = 11});
  }
  double x = kLeft;
  const auto draw = [&](size_t c, double head_top) {
    draw_curve(svg, x, style.curve_width, head_top, top, well.curves[c], scales[c],
               kCurveColours[c % std::size(kCurveColours)], curve_cells, height);
  };
  for (size_t c = 0; c < shown; ++c) {
    if (track[c] != c) continue;
    draw(c, heads);
    for (size_t over = 0; over < shown; ++over)
      if (over != c && track[over] == c) draw(over, kTitle);
    x += style.curve_width + kGap;
  }
  const auto head = [&](double w, const std::string& name) {
    svg.text(x + w / 2, heads + 46, name, {.anchor = Anchor::middle, .size = kSmall});
  };
  const auto class_column = [&](const std::vector<int>& values, const std::string& name) {
    head(style.class_width, cut_to_width(name, style.class_width, kSmall));
    draw_runs(svg, x, style.class_width, runs_of(cells, commonest(cells, values, classes.size())), classes, well);
    svg.frame(x, top, style.class_width, height, kFrame);
    x += style.class_width + kGap;
  };
  if (truth) class_column(well.truth, "true");
  if (prediction) class_column(well.prediction, "predicted");
  const auto error_column = [&](const std::vector<int>& predicted) {
    // As wide as the share of wrong samples, in quarters: in a long well nearly every row holds some error.
    std::vector<int> quarters;
    for (const auto& cell : cells) {
      size_t labelled = 0, wrong = 0;
      for (size_t i = cell.first; i < cell.last; ++i) {
        labelled += well.truth[i] >= 0;
        wrong += well.truth[i] >= 0 && well.truth[i] != predicted[i];
      }
      quarters.push_back(wrong > 0 ? int((4 * wrong + labelled - 1) / labelled) : kNothing);
    }
    x += 6;
    head(kErrorWidth, "error");
    std::string data;
    for (const auto& run : runs_of(cells, quarters)) data += box(x, kErrorWidth * run.value / 4, run);
    if (!data.empty()) svg.path(data, "currentColor", "predicted and true class differ", 0.8);
    svg.frame(x, top, kErrorWidth, height, kFrame);
    x += kErrorWidth + kGap + 8;
  };
  if (truth && prediction) error_column(well.prediction);
  for (const TrackClasses& other : well.others) {
    class_column(other.values, other.name);
    if (truth) error_column(other.values);
  }
  if (probabilities) {
    const double w = std::round(1.4 * style.class_width);
    head(w, "probability");
    draw_probabilities(svg, x, w, well, classes, cells_of(well.depth, axis, top, height, rows / 2, step));
    svg.frame(x, top, w, height, kFrame);
  }
  double y = top + height + 14;
  if (some_left) {
    std::string names = "not shown:";
    for (size_t c = shown; c < well.curves.size(); ++c) names += " " + well.curves[c].name;
    svg.text(8, y + 2, cut_to_width(names, width - 16, kSmall), {.size = kSmall, .opacity = 0.8});
    y += 18;
  }
  if (style.legend) draw_legend(svg, classes, 8, y, width);
  return svg;
}

namespace {

// Calls place(i, x, y, shown name) for every class and returns the height used.
template <class Place>
double lay_out_legend(const ClassList& classes, double left, double width, Place place) {
  double x = left, y = 0;
  for (size_t i = 0; i < classes.size(); ++i) {
    const std::string shown = cut_to_width(classes[i].name, std::min(220.0, width - left - 30), 12);
    const double w = 20 + text_width(shown, 12) + 16;
    if (x > left && x + w > width) {
      x = left;
      y += 20;
    }
    place(i, x, y, shown);
    x += w;
  }
  return y + 22;
}

double legend_height(const ClassList& classes, double width) {
  return lay_out_legend(classes, 8, width, [](size_t, double, double, const std::string&) {});
}

void draw_legend(Svg& svg, const ClassList& classes, double left, double top, double width) {
  lay_out_legend(classes, left, width, [&](size_t i, double x, double y, const std::string& shown) {
    svg.rect(x, top + y, 14, 14, classes[i].colour, classes[i].name);
    svg.text(x + 20, top + y + 11, shown);
  });
}

}  // namespace

Svg class_legend(const ClassList& classes, double width) {
  double used = 8;
  const double height = lay_out_legend(classes, 8, width, [&](size_t, double x, double, const std::string& shown) {
    used = std::max(used, x + 20 + text_width(shown, 12) + 16);
  });
  Svg svg(used, height);
  draw_legend(svg, classes, 8, 4, width);
  return svg;
}

}  // namespace kern::training
