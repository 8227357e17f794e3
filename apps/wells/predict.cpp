#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "apps/wells/source.h"
#include "apps/wells/verbs.h"
#include "data/csv.h"
#include "data/las.h"
#include "data/names.h"
#include "data/postprocess.h"
#include "engine/atomic_file.h"
#include "kernels/common/log.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

struct Prediction {
  std::vector<int> labels;
  std::vector<float> probabilities;  // [L, K]
};

Prediction predict(const WellsModel& model, const data::Well& well, const data::Postprocess& after) {
  training::Segmentation s = predict_well(model, well);
  data::postprocess(after, s.probabilities, s.classes, s.labels);
  return {std::move(s.labels), std::move(s.probabilities)};
}

// What stands in the file for class k: its code if that is a number, else the index.
float code_of(const WellsModel& model, int k) {
  if (size_t(k) < model.codes.size() && !model.codes[size_t(k)].empty()) {
    const std::string& code = model.codes[size_t(k)].front();
    char* end = nullptr;
    const float value = std::strtof(code.c_str(), &end);
    if (end != code.c_str() && *end == '\0') return value;
  }
  return float(k);
}

// A network without mask channels would take a missing curve for one that is average throughout.
void check_curves(const WellsModel& model, const data::Well& well) {
  std::string missing;
  size_t count = 0;
  for (const data::Curve& c : well.curves)
    if (std::all_of(c.values.begin(), c.values.end(), [](float v) { return std::isnan(v); }))
      missing += (count++ ? ", " : "") + c.name;
  check(count < well.curves.size(), well.source, " has no values of ", missing, ", which the model reads");
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
  const int64_t least = std::min<int64_t>(min_curves, int64_t(well.curves.size()));
  std::vector<bool> out(size_t(well.length()));
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = std::count_if(well.curves.begin(), well.curves.end(),
                           [&](const data::Curve& c) { return !std::isnan(c.values[i]); }) >= least;
  return out;
}

// The LAS file with the predicted curve (and probabilities) added, everything else kept byte for byte.
std::string predicted_las(const WellsModel& model, const PredictConfig& c, const fs::path& from) {
  const data::LasFile file = data::read_las(from);
  std::vector<data::Problem> notes;
  data::Well well = data::well_from_las(file, options_for(model, c, from), notes);
  check_curves(model, well);
  const double own = well.length() > 1 ? well.depth[1] - well.depth[0] : 0;
  // The model's step in the well's unit of depth.
  const double wanted = data::in_depth_unit(model.step, model.step_unit, well.depth_unit);
  if (wanted > 0 && !(data::evenly_sampled(well) && data::same_step(own, wanted))) data::resample(well, wanted);
  if (wanted != model.step)
    inform(well.source, ": depths are in ", well.depth_unit, "; the model's step of ", model.step, " ", model.step_unit,
           " is ", wanted, " ", well.depth_unit, " there");
  for (const data::Problem& n : notes) inform(to_string(n));
  const Prediction p = predict(model, well, c.after.over(model.postprocess));
  const double step = wanted > 0 ? wanted : well.length() > 1 ? well.depth[1] - well.depth[0] : 1;
  std::vector<int64_t> at = data::nearest_samples(well, file.curves.at(0).values, 0.51 * step);
  const std::vector<bool> known = measured(well, c.min_curves);
  for (int64_t& i : at)
    if (i >= 0 && !known[size_t(i)]) i = -1;
  const int64_t classes = model.class_count();
  std::string legend;
  for (int64_t k = 0; k < classes; ++k)
    legend += fmt::format("{}{:g}={}", k ? ", " : "", code_of(model, int(k)), model.classes[size_t(k)].name);
  std::vector<data::AddedCurve> added{{c.mnemonic, "", "predicted class: " + legend, {}, 0}};
  for (int64_t i : at) added[0].values.push_back(i < 0 ? NAN : code_of(model, p.labels[size_t(i)]));
  for (int64_t k = 0; k < classes && c.probabilities; ++k) {
    const std::string& name = model.classes[size_t(k)].name;
    data::AddedCurve curve{data::las_mnemonic("P_" + name), "", "probability of " + name, {}, 4};
    for (int64_t i : at) curve.values.push_back(i < 0 ? NAN : p.probabilities[size_t(i * classes + k)]);
    added.push_back(std::move(curve));
  }
  return data::las_with_curves(file, added);
}

data::WellSet read_table(const WellsModel& model, const PredictConfig& c, const fs::path& from) {
  data::WellSet set = data::load_wells(options_for(model, c, from));
  for (const data::Problem& p : set.skipped) warn("skipped: ", to_string(p));
  for (const data::Problem& n : set.notes) inform(to_string(n));
  for (const data::Well& well : set.wells) check_curves(model, well);
  return set;
}

// One table: well, depth, the curves, the predicted class and the probabilities, a row a sample.
void write_predicted_table(const WellsModel& model, const PredictConfig& c, const data::WellSet& set,
                           const fs::path& to) {
  std::vector<std::string> names{"well", "depth"};
  names.insert(names.end(), set.curve_names.begin(), set.curve_names.end());
  names.push_back(c.mnemonic);
  names.push_back(c.mnemonic + "_name");
  for (int64_t k = 0; k < model.class_count() && c.probabilities; ++k)
    names.push_back("P_" + model.classes[size_t(k)].name);
  data::CsvWriter csv(to, names);
  for (const data::Well& well : set.wells) {
    const Prediction p = predict(model, well, c.after.over(model.postprocess));
    const std::vector<bool> known = measured(well, c.min_curves);
    for (int64_t i = 0; i < well.length(); ++i) {
      csv.cell(well.id).cell(well.depth[size_t(i)]);
      for (const data::Curve& curve : well.curves) csv.cell(curve.values[size_t(i)]);
      const int k = p.labels[size_t(i)];
      if (known[size_t(i)]) csv.cell(double(code_of(model, k))).cell(model.classes[size_t(k)].name);
      else csv.cell("").cell("");
      for (int64_t j = 0; j < model.class_count() && c.probabilities; ++j)
        csv.cell(known[size_t(i)] ? p.probabilities[size_t(i * model.class_count() + j)]
                                  : std::numeric_limits<float>::quiet_NaN());
      csv.end_row();
    }
  }
  csv.commit();
}

bool is_las(const fs::path& p) { return data::same_name(p.extension().string(), ".las"); }
// The ending that makes a file a table, in its own spelling; empty when it is none.
std::string table_ending(const fs::path& p) {
  const std::string name = p.filename().string();
  for (const std::string_view end : {".csv", ".csv.gz", ".tsv", ".tsv.gz"})
    if (name.size() > end.size() && data::same_name(std::string_view(name).substr(name.size() - end.size()), end))
      return name.substr(name.size() - end.size());
  return {};
}
bool is_table(const fs::path& p) { return !table_ending(p).empty(); }

std::vector<fs::path> files_in(const fs::path& path) {
  std::vector<fs::path> files;
  if (!fs::is_directory(path)) return {path};
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file() && (is_las(entry.path()) || is_table(entry.path()))) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

struct Job {
  fs::path from, to;
};

// What is written where. All that can be refused is refused here, before the work begins.
std::vector<Job> plan(const PredictConfig& c) {
  const fs::path data = c.data, out = c.out;
  check(fs::exists(data), c.data, " does not exist; data= names a folder or a file");
  const bool folder = fs::is_directory(data);
  if (folder) {
    const fs::path inside = fs::weakly_canonical(out).lexically_relative(fs::canonical(data));
    check(inside.empty() || *inside.begin() == "..", "out=", c.out, " lies in the folder of the data, ", c.data,
          ": predictions would mix with it; choose another folder");
  }
  std::vector<Job> jobs;
  std::set<fs::path> taken;
  for (const fs::path& from : files_in(data)) {
    check(is_las(from) || is_table(from), from.string(), " is neither a LAS nor a CSV file by its name");
    // A folder keeps its shape below out=, so that files of equal name do not meet.
    fs::path to = out / (folder ? fs::relative(from, data) : from.filename());
    if (is_table(from)) {
      const std::string name = to.filename().string();
      to.replace_filename(name.substr(0, name.size() - table_ending(from).size()) + "_predicted.csv");
    }
    check(!fs::exists(to) || !fs::equivalent(from, to),
          "out= is the folder of the data: the predictions would replace ", from.string(), "; choose another");
    check(c.overwrite || !fs::exists(to), to.string(),
          " is there already; choose another out= folder, or set overwrite=true");
    check(taken.insert(to).second, "two files of ", c.data, " would be written to ", to.string(), ", ", from.string(),
          " is one of them; rename it");
    jobs.push_back({from, to});
  }
  check(!jobs.empty(), c.data, " holds no LAS or CSV file");
  return jobs;
}

}  // namespace

void run_wells_predict(const PredictConfig& c, Call& call) {
  c.machine.apply();
  const WellsModel model = load_wells_model(training::find_model_file(c.model));
  model.module.move_to(c.machine.where());
  const std::vector<Job> jobs = plan(c);
  int64_t wells = 0, skipped = 0;
  for (const Job& job : jobs) {
    std::string las;
    data::WellSet table;
    try {
      if (is_las(job.from)) las = predicted_las(model, c, job.from);
      else table = read_table(model, c, job.from);
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {  // of the file's own making; what goes wrong in writing ends the command
      if (c.strict) throw;
      warn("skipped: ", e.sentence());
      ++skipped;
      continue;
    }
    make_folder(job.to.parent_path());
    if (is_las(job.from)) write_file(job.to, las);
    else write_predicted_table(model, c, table, job.to);
    wells += is_las(job.from) ? 1 : int64_t(table.wells.size());
  }
  check(wells > 0, "none of the ", int64_t(jobs.size()), " files in ", c.data,
        " could be used; the reasons stand above");
  fmt::print("{} wells predicted, {} files skipped; written to {}\n", wells, skipped, c.out);
  call.figures.add("wells", wells);
  call.figures.add("skipped", skipped);
  call.figures.add("out", c.out);
}

}  // namespace kern::apps
