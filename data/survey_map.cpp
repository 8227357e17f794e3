#include "data/survey_map.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "data/fault_sections.h"

namespace kern::data {
namespace {

constexpr int64_t kScaleSamples = 4000000;  // looked at for the scale

std::vector<int64_t> evenly(int64_t count, int64_t most) {
  std::vector<int64_t> out;
  const int64_t n = std::min(count, most);
  for (int64_t i = 0; i < n; ++i) out.push_back(n == 1 ? count / 2 : i * (count - 1) / (n - 1));
  return out;
}

}  // namespace

std::array<double, 3> plane_through(const std::vector<std::array<double, 3>>& points) {
  double n = 0, si = 0, sx = 0, sv = 0;
  for (const auto& [i, x, v] : points) ++n, si += i, sx += x, sv += v;
  if (n == 0) return {0, 0, 0};
  const double mi = si / n, mx = sx / n, mv = sv / n;
  double ii = 0, xx = 0, ix = 0, iv = 0, xv = 0;
  for (const auto& [i, x, v] : points) {
    ii += (i - mi) * (i - mi), xx += (x - mx) * (x - mx), ix += (i - mi) * (x - mx);
    iv += (i - mi) * (v - mv), xv += (x - mx) * (v - mv);
  }
  const double det = ii * xx - ix * ix;
  double b = 0, c = 0;
  if (det > 1e-9 * ii * xx) b = (iv * xx - xv * ix) / det, c = (xv * ii - iv * ix) / det;
  else if (ii > 0) b = iv / ii;
  else if (xx > 0) c = xv / xx;
  return {mv - b * mi - c * mx, b, c};
}

double amplitude_scale_of(const SegyFile& file, int64_t gain) {
  std::vector<float> sample;
  const std::vector<int64_t> seen = evenly(file.traces(), std::max<int64_t>(1, kScaleSamples / file.samples()));
  sample.resize(seen.size() * size_t(file.samples()));
  file.read_traces(seen, sample);
  if (gain > 0)
    for (size_t t = 0; t < seen.size(); ++t)
      gain_control(std::span(sample).subspan(t * size_t(file.samples()), size_t(file.samples())), gain);
  return amplitude_scale(sample);
}

SurveyMap::SurveyMap(const SegyFile& file, const SegyGeometry& geometry) {
  const SegyLayout& l = file.layout();
  if (l.interval > 0) delay_ = l.delay, step_ = l.interval / 1000;
  const auto& inlines = geometry.inlines();
  std::vector<std::array<double, 3>> xs, ys, numbers;
  double least = INFINITY, most = -INFINITY;
  const bool line = geometry.kind() == SegyKind::line;
  for (const int64_t i : evenly(int64_t(inlines.size()), 50)) {
    const SegySection s = geometry.inline_section(inlines[size_t(i)]);
    const auto columns = evenly(int64_t(s.traces.size()), line ? int64_t(s.traces.size()) : 50);
    for (const int64_t k : columns) {
      if (s.traces[size_t(k)] < 0) continue;
      const auto p = file.position(file.trace_header(s.traces[size_t(k)]));
      xs.push_back({double(i), double(k), p.x});
      ys.push_back({double(i), double(k), p.y});
      if (line) line_.push_back(p);
      least = std::min({least, p.x, p.y}), most = std::max({most, p.x, p.y});
    }
  }
  has_coordinates_ = most > least && (least != 0 || most != 0);
  if (!has_coordinates_) {
    line_.clear();
    const auto& crosslines = geometry.crosslines();
    const auto step = [](const std::vector<int>& v) { return v.size() > 1 ? double(v[1]) - v[0] : 1.0; };
    x_ = {double(inlines.front()), step(inlines), 0};
    y_ = {double(crosslines.front()), 0, step(crosslines)};
    return;
  }
  x_ = plane_through(xs), y_ = plane_through(ys);
}

std::array<double, 3> SurveyMap::operator()(const std::array<double, 3>& place) const {
  const auto [i, x, z] = place;
  const double ms = delay_ + step_ * z;
  if (line_.empty()) return {x_[0] + x_[1] * i + x_[2] * x, y_[0] + y_[1] * i + y_[2] * x, ms};
  const double at = std::clamp(x, 0.0, double(line_.size() - 1));
  const auto k = std::min(size_t(at), line_.size() > 1 ? line_.size() - 2 : 0),
             next = std::min(k + 1, line_.size() - 1);
  const double f = at - double(k);
  return {line_[k].x + f * (line_[next].x - line_[k].x), line_[k].y + f * (line_[next].y - line_[k].y), ms};
}

std::array<double, 3> SurveyMap::place(const std::array<double, 3>& world) const {
  const double x = world[0], y = world[1], ms = world[2];
  const double z = (ms - delay_) / step_;
  if (!line_.empty()) {
    const auto far = [&](const SegyFile::Position& p) { return std::hypot(p.x - x, p.y - y); };
    const auto nearest =
        std::min_element(line_.begin(), line_.end(), [&](const auto& a, const auto& b) { return far(a) < far(b); });
    const double apart =
        line_.size() < 2
            ? 0
            : std::hypot(line_.back().x - line_.front().x, line_.back().y - line_.front().y) / double(line_.size() - 1);
    return {far(*nearest) <= std::max(apart, 1e-9) ? 0.0 : -2.0, double(nearest - line_.begin()), z};
  }
  // Where a survey has one line in a direction nothing varies along it.
  const double det = x_[1] * y_[2] - x_[2] * y_[1], dx = x - x_[0], dy = y - y_[0];
  if (std::abs(det) > 1e-12 * (std::hypot(x_[1], y_[1]) * std::hypot(x_[2], y_[2]) + 1e-30))
    return {(dx * y_[2] - dy * x_[2]) / det, (dy * x_[1] - dx * y_[1]) / det, z};
  const auto along = [&](double sx, double sy) {
    const double square = sx * sx + sy * sy;
    return square > 0 ? (dx * sx + dy * sy) / square : 0;
  };
  return {along(x_[1], y_[1]), along(x_[2], y_[2]), z};
}

}  // namespace kern::data
