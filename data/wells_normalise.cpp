#include "data/wells_normalise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/names.h"
#include "data/wells.h"
#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

double transformed(float value, bool log10) {
  if (!log10) return double(value);
  return value > 0 ? std::log10(double(value)) : kMissing;
}

void fit(CurveScale& scale, std::vector<double>& values, Scaling scaling) {
  double low = 0, width = 0;
  if (scaling == Scaling::standard) {
    double sum = 0, squares = 0;
    for (const double v : values) sum += v;
    low = sum / double(values.size());
    for (const double v : values) squares += (v - low) * (v - low);
    width = std::sqrt(squares / double(values.size()));
  } else if (scaling == Scaling::minmax) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    low = *least, width = *most - *least;
  } else {
    low = quantile(values, 0.01);
    width = quantile(values, 0.99) - low;
  }
  scale.offset = low;
  // A constant curve carries nothing: whatever rounding left of its width must not be blown up.
  scale.scale = width > kLeastWidth * std::abs(low) && width > 0 ? width : 1;
}

}  // namespace

Scaling scaling_from(const std::string& name) {
  if (name == "minmax") return Scaling::minmax;
  if (name == "standard") return Scaling::standard;
  if (name == "robust") return Scaling::robust;
  throw Error(text("wells: scaling=", name, " is not one of minmax, standard, robust"));
}

Mask mask_from(const std::string& name) {
  if (name == "auto") return Mask::automatic;
  if (name == "on" || name == "true") return Mask::on;
  if (name == "off" || name == "false") return Mask::off;
  throw Error(text("wells: mask=", name, " is not one of auto, on, off"));
}

Normalisation fit_normalisation(const std::vector<Well>& wells, std::span<const int64_t> training,
                                const NormalisationOptions& o) {
  check(!training.empty(), "wells: there are no training wells to take the normalisation from");
  Normalisation n;
  bool gaps = false;
  for (const Curve& curve : wells.at(size_t(training[0])).curves) n.curves.push_back({.name = curve.name});
  for (const std::string& name : o.log10) {
    const auto curve =
        std::find_if(n.curves.begin(), n.curves.end(), [&](const CurveScale& c) { return same_name(c.name, name); });
    check(curve != n.curves.end(), "wells: log10 names ", name, ", which is not one of the curves");
    curve->log10 = true;
  }
  for (size_t c = 0; c < n.curves.size(); ++c) {
    std::vector<double> values;
    for (const int64_t w : training)
      for (const float v : wells.at(size_t(w)).curves.at(c).values) {
        const double x = transformed(v, n.curves[c].log10);
        if (std::isnan(x)) gaps = true;
        else values.push_back(x);
      }
    check(!values.empty(), "wells: no training well holds ", n.curves[c].log10 ? "a value above 0" : "a value",
          " of the curve ", n.curves[c].name, ": take it out of curves", n.curves[c].log10 ? " or out of log10" : "");
    fit(n.curves[c], values, o.scaling);
  }
  n.per_well = o.per_well;
  n.mask = o.mask == Mask::on || (o.mask == Mask::automatic && gaps);
  return n;
}

std::vector<float> scaled_curve(const Curve& curve, const CurveScale& s) {
  std::vector<float> out;
  out.reserve(curve.values.size());
  for (const float v : curve.values) out.push_back(float((transformed(v, s.log10) - s.offset) / s.scale));
  return out;
}

CurveScale own_scale(const Curve& curve, const CurveScale& s) {
  std::vector<double> values;
  for (const float v : curve.values)
    if (const double x = transformed(v, s.log10); !std::isnan(x)) values.push_back(x);
  if (values.size() < kLeastOwn) return s;
  CurveScale own = s;
  own.offset = quantile(values, 0.5);
  own.scale = (quantile(values, kOwnHigh) - quantile(values, kOwnLow)) / kOwnDeviations;
  return own.scale > kLeastWidth * std::abs(own.offset) && own.scale > 0 ? own : s;
}

std::vector<float> network_inputs(const Well& well, const Normalisation& n) {
  check(well.curves.size() == n.curves.size(), "wells: the well ", well.id, " has ", well.curves.size(),
        " curves, the normalisation ", n.curves.size());
  const size_t curves = n.curves.size(), channels = size_t(n.channels());
  std::vector<float> out(size_t(well.length()) * channels, 0.0f);
  for (size_t c = 0; c < curves; ++c) {
    check(same_name(well.curves[c].name, n.curves[c].name), "wells: curve ", c, " of the well ", well.id, " is ",
          well.curves[c].name, ", the normalisation expects ", n.curves[c].name);
    const std::vector<float> scaled = scaled_curve(
        well.curves[c], n.per_well && !is_depth(well.curves[c]) ? own_scale(well.curves[c], n.curves[c]) : n.curves[c]);
    for (size_t i = 0; i < scaled.size(); ++i) {
      if (std::isnan(scaled[i])) continue;
      out[i * channels + c] = std::clamp(scaled[i], -kClip, kClip);
      if (n.mask) out[i * channels + curves + c] = 1;
    }
  }
  return out;
}

}  // namespace kern::data
