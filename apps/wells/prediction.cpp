#include "apps/wells/prediction.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "apps/wells/source.h"
#include "data/las.h"
#include "data/names.h"
#include "data/postprocess.h"
#include "kernels/common/log.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

// A network without mask channels would take a missing curve for one that is average throughout.
void check_curves(const WellsModel& model, const data::Well& well) {
  std::string missing;
  size_t count = 0, measured = 0;
  for (const data::Curve& c : well.curves) {
    if (data::is_depth(c)) continue;
    ++measured;
    if (std::all_of(c.values.begin(), c.values.end(), [](float v) { return std::isnan(v); }))
      missing += (count++ ? ", " : "") + c.name;
  }
  check(count < measured, well.source, " has no values of ", missing, ", which the model reads");
  check(count == 0 || model.normalisation.mask, well.source, " has no values of ", missing,
        ", and the model was trained on wells that all have them");
  if (count > 0) warn(well.source, " has no values of ", missing, "; its prediction rests on the other curves");
  for (const data::Curve& c : well.curves) {
    const auto first = std::find_if(c.values.begin(), c.values.end(), data::likely_null);
    if (first != c.values.end())
      warn(well.source, ": ", std::count_if(c.values.begin(), c.values.end(), data::likely_null), " values of ", c.name,
           " look as if nothing was measured there (", *first,
           "), and count as measurements; predict with null_values=[", *first, "] if they are none");
  }
}

data::WellsOptions options_for(const WellsModel& model, const PredictConfig& c, const fs::path& from) {
  data::WellsOptions o = kern::apps::options_for(model, from.string(), "");
  o.null_values.insert(o.null_values.end(), c.null_values.begin(), c.null_values.end());
  return o;
}

// Whether so many curves were measured at each sample that it gets a class.
std::vector<bool> measured(const data::Well& well, int min_curves) {
  const auto is_measurement = [](const data::Curve& c) { return !data::is_depth(c); };
  const auto least =
      std::min<int64_t>(min_curves, std::count_if(well.curves.begin(), well.curves.end(), is_measurement));
  std::vector<bool> out(size_t(well.length()));
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = std::count_if(well.curves.begin(), well.curves.end(), [&](const data::Curve& c) {
               return is_measurement(c) && !std::isnan(c.values[i]);
             }) >= least;
  return out;
}

// What was found at samples of the well, -1 for none, as rows.
PredictedWell rows_of(const WellsModel& model, const PredictConfig& c, const data::Well& well,
                      std::vector<double> depth, const std::vector<int64_t>& at) {
  training::Segmentation s = predict_well(model, well);
  data::postprocess(c.after.over(model.postprocess), s.probabilities, s.classes, s.labels);
  const std::vector<bool> known = measured(well, c.min_curves);
  const auto K = size_t(model.class_count());
  PredictedWell out{well.id, well.depth_unit, std::move(depth), std::vector<int>(at.size(), -1),
                    std::vector<float>(at.size() * K, std::numeric_limits<float>::quiet_NaN())};
  for (size_t i = 0; i < at.size(); ++i) {
    if (at[i] < 0 || !known[size_t(at[i])]) continue;
    out.labels[i] = s.labels[size_t(at[i])];
    std::copy_n(s.probabilities.begin() + at[i] * int64_t(K), K, out.probabilities.begin() + int64_t(i * K));
  }
  return out;
}

PredictedWell predict_at(const WellsModel& model, const PredictConfig& c, data::Well well,
                         const std::vector<data::Problem>& notes, const std::vector<double>& depth) {
  check_curves(model, well);
  const double own = well.length() > 1 ? well.depth[1] - well.depth[0] : 0;
  // The model's step in the well's unit of depth.
  const double wanted = data::in_depth_unit(model.step, model.step_unit, well.depth_unit);
  if (wanted > 0 && !(data::evenly_sampled(well) && data::same_step(own, wanted))) data::resample(well, wanted);
  data::set_depth_curve(well, model.step_unit);
  if (wanted != model.step)
    inform(well.source, ": depths are in ", well.depth_unit, "; the model's step of ", model.step, " ", model.step_unit,
           " is ", wanted, " ", well.depth_unit, " there");
  for (const data::Problem& n : notes) inform(to_string(n));
  const double step = wanted > 0 ? wanted : well.length() > 1 ? well.depth[1] - well.depth[0] : 1;
  return rows_of(model, c, well, depth, data::nearest_samples(well, depth, 0.51 * step));
}

}  // namespace

float code_of(const WellsModel& model, int k) {
  if (size_t(k) < model.codes.size() && !model.codes[size_t(k)].empty()) {
    const std::string& code = model.codes[size_t(k)].front();
    char* end = nullptr;
    const float value = std::strtof(code.c_str(), &end);
    if (end != code.c_str() && *end == '\0') return value;
  }
  return float(k);
}

bool is_las(const fs::path& p) { return data::same_name(p.extension().string(), ".las"); }

std::string table_ending(const fs::path& p) {
  const std::string name = p.filename().string();
  for (const std::string_view end : {".csv", ".csv.gz", ".tsv", ".tsv.gz"})
    if (name.size() > end.size() && data::same_name(std::string_view(name).substr(name.size() - end.size()), end))
      return name.substr(name.size() - end.size());
  return {};
}

PredictedWell predict_las(const WellsModel& model, const PredictConfig& c, const data::LasFile& file) {
  std::vector<data::Problem> notes;
  data::Well well = data::well_from_las(file, options_for(model, c, file.path), notes);
  return predict_at(model, c, std::move(well), notes, file.curves.at(0).values);
}

PredictedWell predict_well_rows(const WellsModel& model, const PredictConfig& c, data::Well well) {
  const std::vector<double> null_values = options_for(model, c, {}).null_values;
  for (data::Curve& curve : well.curves)
    for (float& v : curve.values)
      for (const double null : null_values)
        if (v == float(null)) v = std::numeric_limits<float>::quiet_NaN();
  const std::vector<double> depth = well.depth;
  return predict_at(model, c, std::move(well), {}, depth);
}

data::WellSet read_table(const WellsModel& model, const PredictConfig& c, const fs::path& from) {
  data::WellSet set = data::load_wells(options_for(model, c, from));
  for (const data::Problem& p : set.skipped) warn("skipped: ", to_string(p));
  for (const data::Problem& n : set.notes) inform(to_string(n));
  for (const data::Well& well : set.wells) check_curves(model, well);
  return set;
}

PredictedWell predict_samples(const WellsModel& model, const PredictConfig& c, const data::Well& well) {
  std::vector<int64_t> all(size_t(well.length()));
  for (size_t i = 0; i < all.size(); ++i) all[i] = int64_t(i);
  return rows_of(model, c, well, well.depth, all);
}

}  // namespace kern::apps
