#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/wells/source.h"
#include "apps/wells/verbs.h"
#include "data/csv.h"
#include "data/las.h"
#include "data/names.h"
#include "data/postprocess.h"
#include "engine/atomic_file.h"
#include "kernels/common/log.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

struct Prediction {
  std::vector<int> labels;
  std::vector<float> probabilities;  // [L, K]
};

Prediction predict(const WellsModel& model, const data::Well& well, int remove_short) {
  training::Segmentation s = predict_well(model, well);
  data::remove_short(s.labels, remove_short);
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

void refuse_existing(const fs::path& to, bool overwrite) {
  check(overwrite || !fs::exists(to), to.string(), " is there already; choose another out= folder, or set overwrite=true");
}

// One LAS file with the predicted curve (and probabilities) added, everything else kept byte for byte.
void predict_las(const WellsModel& model, const PredictConfig& c, const fs::path& from, const fs::path& to) {
  const data::LasFile file = data::read_las(from);
  std::vector<data::Problem> notes;
  data::Well well = data::well_from_las(file, options_for(model, from.string(), ""), notes);
  if (model.step > 0 && !(data::evenly_sampled(well) && data::same_step(well.length() > 1 ? well.depth[1] - well.depth[0] : 0, model.step)))
    data::resample(well, model.step);
  for (const data::Problem& n : notes) inform(to_string(n));
  const Prediction p = predict(model, well, c.remove_short);
  const double step = model.step > 0 ? model.step : well.length() > 1 ? well.depth[1] - well.depth[0] : 1;
  const std::vector<int64_t> at = data::nearest_samples(well, file.curves.at(0).values, 0.51 * step);
  const int64_t classes = model.class_count();
  std::string legend;
  for (int64_t k = 0; k < classes; ++k) legend += fmt::format("{}{:g}={}", k ? ", " : "", code_of(model, int(k)), model.classes[size_t(k)].name);
  std::vector<data::AddedCurve> added{{c.mnemonic, "", "predicted class: " + legend, {}, 0}};
  for (int64_t i : at) added[0].values.push_back(i < 0 ? NAN : code_of(model, p.labels[size_t(i)]));
  for (int64_t k = 0; k < classes && c.probabilities; ++k) {
    const std::string& name = model.classes[size_t(k)].name;
    data::AddedCurve curve{data::las_mnemonic("P_" + name), "", "probability of " + name, {}, 4};
    for (int64_t i : at) curve.values.push_back(i < 0 ? NAN : p.probabilities[size_t(i * classes + k)]);
    added.push_back(std::move(curve));
  }
  refuse_existing(to, c.overwrite);
  data::write_las(to, file, added);
}

// One table: well, depth, the curves, the predicted class and the probabilities, a row a sample.
int64_t predict_table(const WellsModel& model, const PredictConfig& c, const fs::path& from, const fs::path& to) {
  refuse_existing(to, c.overwrite);
  const data::WellSet set = data::load_wells(options_for(model, from.string(), ""));
  std::vector<std::string> names{"well", "depth"};
  names.insert(names.end(), set.curve_names.begin(), set.curve_names.end());
  names.push_back(c.mnemonic);
  names.push_back(c.mnemonic + "_name");
  for (int64_t k = 0; k < model.class_count() && c.probabilities; ++k) names.push_back("P_" + model.classes[size_t(k)].name);
  data::CsvWriter csv(to, names);
  for (const data::Well& well : set.wells) {
    const Prediction p = predict(model, well, c.remove_short);
    for (int64_t i = 0; i < well.length(); ++i) {
      csv.cell(well.id).cell(well.depth[size_t(i)]);
      for (const data::Curve& curve : well.curves) csv.cell(double(curve.values[size_t(i)]));
      const int k = p.labels[size_t(i)];
      csv.cell(double(code_of(model, k))).cell(model.classes[size_t(k)].name);
      for (int64_t j = 0; j < model.class_count() && c.probabilities; ++j) csv.cell(double(p.probabilities[size_t(i * model.class_count() + j)]));
      csv.end_row();
    }
  }
  csv.commit();
  return int64_t(set.wells.size());
}

bool is_las(const fs::path& p) { return data::same_name(p.extension().string(), ".las"); }
bool is_table(const fs::path& p) {
  const std::string name = p.filename().string();
  for (const char* end : {".csv", ".csv.gz", ".tsv"})
    if (name.size() >= std::string_view(end).size() && data::same_name(std::string_view(name).substr(name.size() - std::string_view(end).size()), end)) return true;
  return false;
}

std::vector<fs::path> files_in(const fs::path& path) {
  std::vector<fs::path> files;
  if (!fs::is_directory(path)) return {path};
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file() && (is_las(entry.path()) || is_table(entry.path()))) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

void run_predict(const PredictConfig& c, Call& call) {
  c.machine.apply();
  const WellsModel model = find_wells_model(c.model);
  check(fs::exists(c.data), c.data, " does not exist; data= names a folder or a file");
  const std::vector<fs::path> files = files_in(c.data);
  check(!files.empty(), c.data, " holds no LAS or CSV file");
  const fs::path out = c.out;
  make_folder(out);
  int64_t wells = 0, skipped = 0;
  for (const fs::path& from : files) {
    // A folder keeps its shape below out=, so that files of equal name do not meet.
    const fs::path inside = fs::is_directory(c.data) ? fs::relative(from, c.data) : from.filename();
    fs::path to = out / inside;
    make_folder(to.parent_path());
    check(!fs::exists(to) || !fs::equivalent(from, to), "out= is the folder of the data: the predictions would replace ", from.string(), "; choose another");
    try {
      if (is_las(from)) {
        predict_las(model, c, from, to);
        ++wells;
      } else {
        check(is_table(from), from.string(), " is neither a LAS nor a CSV file by its name");
        std::string name = to.filename().string();
        name = name.substr(0, name.find(".csv") == name.npos ? name.rfind('.') : name.find(".csv")) + "_predicted.csv";
        wells += predict_table(model, c, from, to.replace_filename(name));
      }
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      if (c.strict) throw;
      warn("skipped: ", e.sentence());
      ++skipped;
    }
  }
  check(wells > 0, "none of the ", int64_t(files.size()), " files in ", c.data, " could be used; the reasons stand above");
  fmt::print("{} wells predicted, {} files skipped; written to {}\n", wells, skipped, out.string());
  call.figures.add("wells", wells);
  call.figures.add("skipped", skipped);
  call.figures.add("out", out.string());
}

}  // namespace kern::apps
