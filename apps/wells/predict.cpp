#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "apps/wells/prediction.h"
#include "apps/wells/verbs.h"
#include "data/below.h"
#include "data/csv.h"
#include "data/las.h"
#include "engine/agreement.h"
#include "engine/atomic_file.h"
#include "kernels/common/log.h"
#include "training/shared_work.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

// The LAS file with the predicted curve (and probabilities) added, everything else kept byte for byte.
std::string predicted_las(const WellsModel& model, const PredictConfig& c, const fs::path& from) {
  const data::LasFile file = data::read_las(from);
  const PredictedWell p = predict_las(model, c, file);
  const int64_t classes = model.class_count();
  std::string legend;
  for (int64_t k = 0; k < classes; ++k)
    legend += fmt::format("{}{:g}={}", k ? ", " : "", code_of(model, int(k)), model.classes[size_t(k)].name);
  std::vector<data::AddedCurve> added{{c.mnemonic, "", "predicted class: " + legend, {}, 0}};
  for (const int k : p.labels) added[0].values.push_back(k < 0 ? NAN : code_of(model, k));
  for (int64_t k = 0; k < classes && c.probabilities; ++k) {
    const std::string& name = model.classes[size_t(k)].name;
    data::AddedCurve curve{data::las_mnemonic("P_" + name), "", "probability of " + name, {}, 4};
    for (size_t i = 0; i < p.labels.size(); ++i)
      curve.values.push_back(p.probabilities[i * size_t(classes) + size_t(k)]);
    added.push_back(std::move(curve));
  }
  return data::las_with_curves(file, added);
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
    const PredictedWell p = predict_samples(model, c, well);
    for (int64_t i = 0; i < well.length(); ++i) {
      csv.cell(well.id).cell(well.depth[size_t(i)]);
      for (const data::Curve& curve : well.curves) csv.cell(curve.values[size_t(i)]);
      const int k = p.labels[size_t(i)];
      if (k >= 0) csv.cell(double(code_of(model, k))).cell(model.classes[size_t(k)].name);
      else csv.cell("").cell("");
      for (int64_t j = 0; j < model.class_count() && c.probabilities; ++j)
        csv.cell(p.probabilities[size_t(i * model.class_count() + j)]);
      csv.end_row();
    }
  }
  csv.commit();
}

std::vector<fs::path> files_in(const fs::path& path) {
  std::vector<fs::path> files;
  if (!fs::is_directory(path)) return {path};
  std::error_code no_file;  // a link that leads nowhere, or in a circle
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if ((is_las(entry.path()) || is_table(entry.path())) && entry.is_regular_file(no_file))
      files.push_back(entry.path());
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
    fs::path to = out / (folder ? kern::data::name_below(from, data) : from.filename());
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
  std::vector<Job> jobs;
  together([&] { jobs = plan(c); });  // before any rank writes
  int64_t wells = 0, skipped = 0;
  const auto predict = [&](int64_t i) {  // "+" and how many wells, or why it was skipped
    const Job& job = jobs[size_t(i)];
    std::string las;
    data::WellSet table;
    try {
      if (is_las(job.from)) las = predicted_las(model, c, job.from);
      else table = read_table(model, c, job.from);
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {  // of the file's own making; what goes wrong in writing ends the command
      if (c.strict) throw;
      return e.sentence();
    }
    make_folder(job.to.parent_path());
    if (is_las(job.from)) write_file(job.to, las);
    else write_predicted_table(model, c, table, job.to);
    return fmt::format("+{}", is_las(job.from) ? 1 : int64_t(table.wells.size()));
  };
  together([&] {
    training::share_work(0, int64_t(jobs.size()), {.unit = predict, .told = [&](const training::UnitDone& file) {
                                                     if (file.said.starts_with('+'))
                                                       wells += std::stoll(file.said.substr(1));
                                                     else
                                                       warn(training::of_rank(file), "skipped: ", file.said), ++skipped;
                                                   }});
  });
  check(wells > 0, "none of the ", int64_t(jobs.size()), " files in ", c.data,
        " could be used; the reasons stand above");
  fmt::print("{} wells predicted, {} files skipped; written to {}\n", wells, skipped, c.out);
  call.figures.add("wells", wells);
  call.figures.add("skipped", skipped);
  call.figures.add("out", c.out);
}

}  // namespace kern::apps
