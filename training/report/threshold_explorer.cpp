#include "training/report/threshold_explorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kern::training {
namespace {

constexpr const char *kNormal = "#2f86c8", *kAnomalous = "#d55e00", *kShade = "#009e73";
constexpr double kWidth = 720, kLeft = 58, kRight = kWidth - 16, kSmall = 11;
constexpr double kRatesTop = 34, kRatesBottom = 214, kBarsTop = 236, kBarsBottom = 346, kHeight = 386;
constexpr int kBins = 60;
const Svg::Stroke kFaint{.width = 1, .opacity = 0.15};
const Svg::Stroke kLine{.width = 1, .opacity = 0.6};

// The thresholds worth looking at: from the least score to beyond all rules and all but the last normal items, but no
// farther than the largest score. A few anomalies far out would leave no room for the rest.
Interval range_of(const ThresholdView& v) {
  std::vector<double> normal = v.scores.normal, anomalous = v.scores.anomalous;
  std::sort(normal.begin(), normal.end());
  std::sort(anomalous.begin(), anomalous.end());
  double low = v.threshold, high = v.threshold, most = v.threshold;
  for (const auto* s : {&normal, &anomalous})
    if (!s->empty()) low = std::min(low, s->front()), most = std::max(most, s->back());
  for (const auto& [name, t] : v.rules) low = std::min(low, t), high = std::max(high, t);
  if (!normal.empty()) high = std::max(high, normal[normal.size() * 99 / 100]);
  if (!anomalous.empty()) high = std::max(high, anomalous[anomalous.size() / 2]);
  high = std::min(high + 0.25 * (high - low), std::max(most, high));
  const double margin = high > low ? 0.02 * (high - low) : std::max(1e-6, std::abs(low) * 0.05);
  return {low - margin, high + margin};
}

void draw_frame(Svg& svg, double top, double bottom, const char* label) {
  svg.line(kLeft, top, kLeft, bottom, kLine);
  svg.line(kLeft, bottom, kRight, bottom, kLine);
  svg.text(14, (top + bottom) / 2, label, {.anchor = Anchor::middle, .size = kSmall, .turn = -90, .opacity = 0.8});
}

void draw_legend(Svg& svg, double y, const std::vector<std::pair<std::string, const char*>>& entries) {
  double x = kLeft;
  for (const auto& [name, colour] : entries) {
    svg.rect(x, y - 6, 16, 5, colour);
    svg.text(x + 22, y, name, {.size = kSmall});
    x += 34 + text_width(name, kSmall);
  }
}

void draw_rates(Svg& svg, const ThresholdView& v, const Interval& range, const Axis& x) {
  const Axis y(0, 1, kRatesBottom, kRatesTop, 5, true);
  if (const auto both = both_at_least(v.scores, v.level)) {
    const double from = x.pixel(std::clamp(both->low, range.low, range.high)),
                 to = x.pixel(std::clamp(both->high, range.low, range.high));
    svg.rect(from, kRatesTop, std::max(1.0, to - from), kBarsBottom - kRatesTop, kShade,
             fmt::format("both rates reach {:g} from {} to {}", v.level, readable(both->low), readable(both->high)),
             0.18);
  }
  for (const auto& tick : y.ticks()) {
    svg.line(kLeft, tick.pixel, kRight, tick.pixel, kFaint);
    svg.text(kLeft - 6, tick.pixel + 4, tick.label, {.anchor = Anchor::end, .size = kSmall});
  }
  draw_frame(svg, kRatesTop, kRatesBottom, "rate");
  std::vector<std::pair<double, double>> found, left;
  constexpr int kPoints = 400;
  for (int i = 0; i <= kPoints; ++i) {
    const double t = range.low + (range.high - range.low) * i / kPoints;
    const Rates r = rates_at(v.scores, t);
    found.emplace_back(x.pixel(t), y.pixel(r.true_positive));
    left.emplace_back(x.pixel(t), y.pixel(r.true_negative));
  }
  svg.polyline(found, {.colour = kAnomalous, .width = 2});
  svg.polyline(left, {.colour = kNormal, .width = 2});
  const double chosen = x.pixel(v.threshold);
  svg.line(chosen, kRatesTop, chosen, kBarsBottom, {.width = 1.5, .opacity = 0.8, .dash = "5 4"});
}

void draw_bars(Svg& svg, const ThresholdView& v, const Interval& range, const Axis& x) {
  auto shares = [&](const std::vector<double>& scores) {
    std::vector<double> bins(kBins, 0.0);
    for (const double s : scores) {
      const double at = (s - range.low) / (range.high - range.low) * kBins;
      bins[size_t(std::clamp(at, 0.0, double(kBins - 1)))] += 1 / double(scores.size());
    }
    return bins;
  };
  const std::vector<double> normal = shares(v.scores.normal), anomalous = shares(v.scores.anomalous);
  const double most = std::max(
      {*std::max_element(normal.begin(), normal.end()), *std::max_element(anomalous.begin(), anomalous.end()), 1e-9});
  draw_frame(svg, kBarsTop, kBarsBottom, "share");
  for (int i = 0; i < kBins; ++i) {
    const double from = x.pixel(range.low + (range.high - range.low) * i / kBins),
                 to = x.pixel(range.low + (range.high - range.low) * (i + 1) / kBins);
    auto bar = [&](double share, const char* colour, const char* name) {
      const double height = share / most * (kBarsBottom - kBarsTop);
      if (share > 0)
        svg.rect(from, kBarsBottom - height, to - from, height, colour,
                 fmt::format("{}: {:.1f} %{}", name, 100 * share, i + 1 == kBins ? ", with all beyond" : ""), 0.55);
    };
    bar(normal[size_t(i)], kNormal, "good");
    bar(anomalous[size_t(i)], kAnomalous, "anomalies");
  }
  for (const auto& tick : x.ticks()) {
    svg.line(tick.pixel, kBarsBottom, tick.pixel, kBarsBottom + 4, kLine);
    svg.text(tick.pixel, kBarsBottom + 17, tick.label, {.anchor = Anchor::middle, .size = kSmall});
  }
  svg.text((kLeft + kRight) / 2, kHeight - 6, "score = threshold",
           {.anchor = Anchor::middle, .size = kSmall, .opacity = 0.8});
}

// Counts and rates of one threshold: what the page shows before its script runs, and what the script keeps up to date.
std::string table_of(const ThresholdView& v) {
  const Rates r = rates_at(v.scores, v.threshold);
  const auto found =
                 std::lround((std::isnan(r.true_positive) ? 0 : r.true_positive) * double(v.scores.anomalous.size())),
             passed = std::lround((std::isnan(r.true_negative) ? 0 : r.true_negative) * double(v.scores.normal.size()));
  const auto anomalies = int64_t(v.scores.anomalous.size()), normals = int64_t(v.scores.normal.size());
  const double precision = double(found) / double(found + normals - passed);
  auto rate = [](double value) { return std::isfinite(value) ? fmt::format("{:.3f}", value) : std::string("–"); };
  return fmt::format(
      "<p>Threshold <b data-is=\"t\">{}</b>: TPR <b data-is=\"tpr\">{}</b>, TNR <b data-is=\"tnr\">{}</b>, precision "
      "<b "
      "data-is=\"precision\">{}</b></p>\n<div class=\"scroll\"><table><thead><tr><th></th><th class=\"n\">called "
      "anomaly</th><th class=\"n\">called good</th></tr></thead><tbody>\n<tr><th scope=\"row\">anomalies</th><td "
      "class=\"n\" data-is=\"tp\">{}</td><td class=\"n\" data-is=\"fn\">{}</td></tr>\n<tr><th "
      "scope=\"row\">good</th><td class=\"n\" data-is=\"fp\">{}</td><td class=\"n\" "
      "data-is=\"tn\">{}</td></tr></tbody></table></div>\n",
      readable(v.threshold), rate(r.true_positive), rate(r.true_negative), rate(precision), found, anomalies - found,
      normals - passed, passed);
}

std::string numbers(const std::vector<double>& v) {
  std::string out = "[";
  for (const double x : v) out += fmt::format("{}{}", out.size() > 1 ? "," : "", x);
  return out + "]";
}

constexpr std::string_view kScript = R"js(
document.querySelectorAll('.explorer').forEach(function(box){
  var d=JSON.parse(box.querySelector('.scores').textContent),slider=box.querySelector('input'),cursor=box.querySelector('.cursor');
  function above(v,t){var n=0;v.forEach(function(x){if(x>t)n+=1});return n}
  function put(name,text){box.querySelector('[data-is='+name+']').textContent=text}
  function rate(a,b){return b>0?(a/b).toFixed(3):'–'}
  function show(t){
    var tp=above(d.anomalous,t),fp=above(d.normal,t),fn=d.anomalous.length-tp,tn=d.normal.length-fp;
    put('tp',tp);put('fp',fp);put('fn',fn);put('tn',tn);
    put('tpr',rate(tp,tp+fn));put('tnr',rate(tn,tn+fp));put('precision',rate(tp,tp+fp));put('t',t.toPrecision(4));
    var at=Math.min(1,Math.max(0,(t-d.low)/(d.high-d.low)));
    slider.value=Math.round(1000*at);cursor.style.left=100*(d.left+(d.right-d.left)*at)+'%';
  }
  function of_address(){
    var m=/threshold=([-+.0-9eE]+)/.exec(location.hash);
    show(m?Number(m[1]):d.threshold);
  }
  slider.addEventListener('input',function(){show(d.low+(d.high-d.low)*slider.value/1000)});
  box.querySelectorAll('button').forEach(function(b){b.addEventListener('click',function(){show(Number(b.value))})});
  window.addEventListener('hashchange',of_address);
  box.querySelectorAll('[hidden]').forEach(function(e){e.hidden=false});of_address();
});
)js";

// Curves over [0, 1] x [0, 1], as steps or not.
Svg unit_chart(const std::string& title, const char* x_label, const char* y_label,
               const std::vector<std::pair<double, double>>& points) {
  constexpr double side = 300, left = 52, top = 30;
  Svg svg(left + side + 16, top + side + 44);
  const Axis x(0, 1, left, left + side, 5, true), y(0, 1, top + side, top, 5, true);
  svg.text(8, 17, title, {.size = 14, .bold = true});
  for (const auto& tick : y.ticks()) {
    svg.line(left, tick.pixel, left + side, tick.pixel, kFaint);
    svg.text(left - 6, tick.pixel + 4, tick.label, {.anchor = Anchor::end, .size = kSmall});
  }
  for (const auto& tick : x.ticks())
    svg.text(tick.pixel, top + side + 17, tick.label, {.anchor = Anchor::middle, .size = kSmall});
  svg.line(left, top, left, top + side, kLine);
  svg.line(left, top + side, left + side, top + side, kLine);
  svg.text(left + side / 2, top + side + 36, x_label, {.anchor = Anchor::middle, .size = kSmall, .opacity = 0.8});
  svg.text(14, top + side / 2, y_label, {.anchor = Anchor::middle, .size = kSmall, .turn = -90, .opacity = 0.8});
  std::vector<std::pair<double, double>> pixels;
  for (const auto& [a, b] : points) pixels.emplace_back(x.pixel(a), y.pixel(b));
  svg.polyline(pixels, {.colour = kNormal, .width = 2});
  return svg;
}

}  // namespace

void add_threshold_explorer(Report& report, const std::string& name, const ThresholdView& v) {
  const Interval range = range_of(v);
  const Axis x(range.low, range.high, kLeft, kRight, 8, true);
  Svg svg(kWidth, kHeight);
  draw_legend(svg, 18,
              {{"TPR: anomalies found", kAnomalous},
               {"TNR: good ones left in peace", kNormal},
               {fmt::format("both at least {:g}", v.level), kShade}});
  draw_rates(svg, v, range, x);
  draw_bars(svg, v, range, x);
  const char* caption =
      "Above, both rates against the threshold; below, the scores of good images and anomalies, shares of each. The "
      "dashed line is the chosen threshold, the full one that of the slider.";
  report.file(name, svg, caption);
  std::string html = "<div class=\"explorer\"><div class=\"under\">" + svg.inline_markup(caption) +
                     "<div class=\"cursor\" hidden=\"\"></div></div>\n";
  html += fmt::format(
      "<div hidden=\"\"><div class=\"slide\"><input type=\"range\" aria-label=\"threshold\" min=\"0\" max=\"1000\" "
      "value=\"0\"/></div>\n");
  html += fmt::format("<button type=\"button\" value=\"{}\">chosen</button>", v.threshold);
  for (const auto& [rule, t] : v.rules)
    html += fmt::format("<button type=\"button\" value=\"{}\">{}</button>", t, escape(rule));
  html += "</div>\n<p class=\"soft\">" + escape(caption) + "</p>\n" + table_of(v);
  html += fmt::format(
      "<script type=\"application/json\" class=\"scores\">{{\"normal\":{},\"anomalous\":{},\"low\":{},\"high\":{},"
      "\"left\":{},\"right\":{},\"threshold\":{}}}</script></div>\n",
      numbers(v.scores.normal), numbers(v.scores.anomalous), range.low, range.high, kLeft / kWidth, kRight / kWidth,
      v.threshold);
  report.document().insert(html);
  report.document().script(kScript);
}

Svg roc_chart(const Scores& s) {
  std::vector<std::pair<double, double>> points{{1, 1}};
  for (const CurvePoint& p : rate_curve(s)) points.emplace_back(1 - p.rates.true_negative, p.rates.true_positive);
  points.emplace_back(0, 0);
  return unit_chart(fmt::format("ROC, AUROC {}", readable(area_under_roc(s))), "false alarms (1 - TNR)",
                    "anomalies found (TPR)", points);
}

Svg precision_recall_chart(const Scores& s) {
  std::vector<std::pair<double, double>> points;
  for (const CurvePoint& p : rate_curve(s)) {
    const double found = p.rates.true_positive * double(s.anomalous.size()),
                 alarms = (1 - p.rates.true_negative) * double(s.normal.size());
    if (found + alarms > 0) points.emplace_back(p.rates.true_positive, found / (found + alarms));
  }
  return unit_chart(fmt::format("Precision and recall, AUPR {}", readable(area_under_precision_recall(s))),
                    "recall (TPR)", "precision", points);
}

}  // namespace kern::training
