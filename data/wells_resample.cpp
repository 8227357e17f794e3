#include <algorithm>
#include <cmath>
#include <limits>

#include "data/names.h"
#include "data/wells.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr double kMetresPerFoot = 0.3048;
constexpr double kGap = 1.5;         // of a well's own step: what is further apart is not interpolated
constexpr double kMaxSamples = 1e7;  // of one well after resampling; a larger number is a typing error in step=

}  // namespace

std::string depth_unit_of(std::string_view written) {
  std::string plain;
  for (const char c : written)
    if (c != ' ' && c != '.') plain += c >= 'A' && c <= 'Z' ? char(c + 32) : c;
  for (const char* name : {"m", "mt", "metre", "metres", "meter", "meters"})
    if (plain == name) return "m";
  for (const char* name : {"ft", "f", "feet", "foot"})
    if (plain == name) return "ft";
  return "";
}

double in_depth_unit(double distance, std::string_view from, std::string_view to) {
  const std::string a = depth_unit_of(from), b = depth_unit_of(to);
  if (a.empty() || b.empty() || a == b) return distance;
  return a == "ft" ? distance * kMetresPerFoot : distance / kMetresPerFoot;
}

bool is_depth(const Curve& curve) { return same_name(curve.name, kDepthCurve); }

void set_depth_curve(Well& well, std::string_view unit) {
  for (Curve& c : well.curves) {
    if (!is_depth(c)) continue;
    c.values.clear();
    for (const double d : well.depth) c.values.push_back(float(in_depth_unit(d, well.depth_unit, unit)));
  }
}

bool same_step(double a, double b) { return std::abs(a - b) <= 0.01 * std::max(std::abs(a), std::abs(b)); }

bool evenly_sampled(const Well& well) {
  for (size_t i = 1; i < well.depth.size(); ++i)
    if (!same_step(well.depth[i] - well.depth[i - 1], well.step)) return false;
  return true;
}

void resample(Well& well, double step) {
  check(step > 0 && std::isfinite(step), "wells: step=", step, " is not a distance: give a number above 0");
  const double own = well.step, top = std::ceil(well.depth.front() / step - 1e-6),
               bottom = std::floor(well.depth.back() / step + 1e-6);
  check(bottom - top + 1 >= 2, "wells: ", well.source, " from ", well.depth.front(), " to ", well.depth.back(),
        " holds no 2 samples at step=", step, ": give a smaller step");
  check(bottom - top + 1 <= kMaxSamples, "wells: ", well.source, " from ", well.depth.front(), " to ",
        well.depth.back(), " would become ", bottom - top + 1, " samples at step=", step,
        ": give a larger step, or correct its depths");
  const auto count = size_t(bottom - top + 1);

  Well out = well;
  out.step = step;
  out.depth.resize(count);
  for (Curve& c : out.curves) c.values.assign(count, std::numeric_limits<float>::quiet_NaN());
  if (!well.labels.empty()) out.labels.assign(count, kUnlabelled);
  size_t below = 0;  // the first sample at this depth or below it
  for (size_t k = 0; k < count; ++k) {
    const double z = out.depth[k] = (top + double(k)) * step;
    const double touch = 1e-6 * std::min(step, own);
    while (below + 1 < well.depth.size() && well.depth[below] < z - touch) ++below;
    const bool exact = std::abs(well.depth[below] - z) <= touch || below == 0;
    const size_t above = exact ? below : below - 1;
    const double distance = well.depth[below] - well.depth[above];
    const double share = exact ? 0 : (z - well.depth[above]) / distance;
    if (distance > kGap * own) continue;
    for (size_t c = 0; c < out.curves.size(); ++c) {
      const std::vector<float>& v = well.curves[c].values;
      out.curves[c].values[k] = exact ? v[below] : float((1 - share) * double(v[above]) + share * double(v[below]));
    }
    if (!well.labels.empty()) out.labels[k] = well.labels[share < 0.5 ? above : below];
  }
  well = std::move(out);
}

std::vector<int64_t> nearest_samples(const Well& well, const std::vector<double>& depths, double reach) {
  std::vector<int64_t> out(depths.size(), -1);
  if (well.depth.empty()) return out;
  for (size_t i = 0; i < depths.size(); ++i) {
    if (std::isnan(depths[i])) continue;
    auto below = std::lower_bound(well.depth.begin(), well.depth.end(), depths[i]);
    if (below == well.depth.end() || (below != well.depth.begin() && depths[i] - below[-1] <= *below - depths[i]))
      --below;
    if (std::abs(*below - depths[i]) <= reach) out[i] = below - well.depth.begin();
  }
  return out;
}

}  // namespace kern::data
