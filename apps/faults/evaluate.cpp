#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/faults/report.h"
#include "apps/faults/verbs.h"
#include "apps/faults/volume.h"
#include "apps/faults/volume_evaluation.h"
#include "apps/ranks.h"
#include "apps/training_run.h"
#include "data/image_folder.h"
#include "data/interpretation.h"
#include "data/segy_geometry.h"
#include "engine/agreement.h"
#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "training/report/report.h"
#include "training/stop.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

// At most so many of them, from all over the data.
template <class T>
std::vector<T> spread(const std::vector<T>& all, int64_t most) {
  std::vector<T> chosen;
  const auto n = std::min(int64_t(all.size()), most);
  for (int64_t i = 0; i < n; ++i) chosen.push_back(all[size_t(i * int64_t(all.size()) / n)]);
  return chosen;
}

void expect_same_places(const data::SegyFile& file, const data::SegyFile& labels) {
  check(file.traces() == labels.traces() && file.samples() == labels.samples(), labels.name(), " has ", labels.traces(),
        " traces of ", labels.samples(), " samples, ", file.name(), " has ", file.traces(), " of ", file.samples(),
        ": they must be of the same places");
}

// The sections of a file along its longer direction, with the traces of the same numbers of another.
std::vector<LabelledSection> labelled_file(const FaultsEvaluateConfig& c) {
  const data::SegyFile file(c.data, c.places), labels(c.labels, c.places);
  expect_same_places(file, labels);
  const data::SegyGeometry geometry(file);
  check(geometry.kind() != data::SegyKind::prestack, c.data, " is prestack: faults are sought in stacked sections");
  const bool along_inlines = geometry.crosslines().size() >= geometry.inlines().size();
  const double interval = file.layout().interval;
  const auto gain = int64_t(std::lround(interval > 0 ? c.agc * 1000 / interval : c.agc));
  std::vector<LabelledSection> sections;
  std::vector<float> all;
  for (const int n : spread(along_inlines ? geometry.inlines() : geometry.crosslines(), c.sections)) {
    const data::SegySection s = along_inlines ? geometry.inline_section(n) : geometry.crossline_section(n);
    LabelledSection l{.name = fmt::format("{} {}", along_inlines ? "inline" : "crossline", n),
                      .size = {1, int64_t(s.traces.size()), file.samples()},
                      .inputs = data::read_section(file, s),
                      .labels = {},
                      .broad = c.thin_labels};
    const auto samples = size_t(file.samples());
    for (size_t t = 0; t < s.traces.size() && c.agc > 0; ++t)
      data::gain_control(std::span(l.inputs).subspan(t * samples, samples), std::max<int64_t>(3, gain));
    const std::vector<float> truth = data::read_section(labels, s);
    for (size_t i = 0; i < truth.size(); ++i)
      l.labels.push_back(s.traces[i / samples] < 0 ? -1 : data::fault_label(truth[i], c.fault_values));
    for (size_t i = 0; i < l.inputs.size(); i += 1 + l.inputs.size() / 65536) all.push_back(l.inputs[i]);
    sections.push_back(std::move(l));
  }
  const double scale = data::amplitude_scale(all);  // one for the volume
  for (LabelledSection& s : sections) data::scale_amplitudes(s.inputs, scale);
  return sections;
}

std::vector<LabelledSection> labelled_images(const FaultsEvaluateConfig& c, std::vector<std::string>& skipped) {
  const data::ImageSet set = data::load_image_folder(
      {.path = c.data, .image_dir = {}, .mask_dir = c.mask_dir, .mask_suffix = c.mask_suffix, .strict = c.strict});
  for (const data::Problem& p : set.skipped) skipped.push_back(data::to_string(p));
  std::vector<data::ImageFile> usable;
  for (const data::ImageFile& p : set.images)
    if (!p.mask.empty()) usable.push_back(p);
  check(!usable.empty(), "no image in ", c.data, " has a mask: set mask_dir= or mask_suffix=");
  std::vector<LabelledSection> sections;
  for (const data::ImageFile& p : spread(usable, c.sections)) try {
      const data::Image grey = data::read_image(p.image, 1);
      const data::StoredImage mask = data::read_stored(p.mask);
      check(mask.H == grey.H && mask.W == grey.W, p.mask.string(), " has ", mask.W, " x ", mask.H, " pixels, ",
            p.image.string(), " has ", grey.W, " x ", grey.H);
      LabelledSection s{.name = p.id,
                        .size = {1, grey.W, grey.H},
                        .inputs = data::section_of_image(grey, std::lround(c.agc)),
                        .labels = std::vector<int32_t>(size_t(grey.H * grey.W), 0),
                        .broad = c.thin_labels};
      for (int64_t x = 0; x < grey.W; ++x)
        for (int64_t y = 0; y < grey.H; ++y)
          s.labels[size_t(x * grey.H + y)] = data::fault_label(float(*mask.at(y, x)), c.fault_values);
      sections.push_back(std::move(s));
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      if (c.strict) throw;
      skipped.push_back(e.sentence());
    }
  check(!sections.empty(), "no image in ", c.data, " could be used",
        skipped.empty() ? std::string() : ": " + skipped.front());
  return sections;
}

// As those that trained the model, but for what is given.
SyntheticKeys synthetic_of(const FaultsModel& model, const training::Schema& given) {
  SyntheticKeys out;
  training::Schema keys("sections");
  describe_synthetic(keys, out);
  if (!model.synthetic.empty()) keys.load_text(model.synthetic, "what the model says of its training");
  const std::string prefix = "synthetic.";
  for (const auto& [name, value] : given.values())
    if (name.starts_with(prefix) && given.given(name)) keys.set(name.substr(prefix.size()) + "=" + value);
  return out;
}

// What was found in a survey: a file of fault probability, or what a network says now.
class Found {
 public:
  // Predicts with `model`, if there is one; c.found is the probability otherwise.
  Found(const FaultsEvaluateConfig& c, const FaultsModel* model, const training::RunFolder& run)
      : file_(model ? c.data : c.found, c.places), geometry_(file_) {
    if (!model) return;
    prediction_.emplace(
        *model, file_, geometry_,
        VolumeOptions{
            .looks = c.looks, .two_scales = c.two_scales, .agc = c.agc, .memory = c.memory << 20, .thin = false},
        run.file("parts"));
  }
  const data::SegyFile& file() const { return file_; }
  const data::SegyGeometry& geometry() const { return geometry_; }
  // False: a signal ended it; the same command goes on there.
  bool ready() {
    if (!prediction_) return true;
    training::ProgressBar progress({.title = file_.name(), .unit = prediction_->unit()});
    return prediction_->run(progress);
  }
  void read(int64_t trace, std::span<float> values) const {
    if (prediction_) prediction_->read(VolumePrediction::What::probability, trace, values);
    else file_.read_trace(trace, values);
  }

 private:
  data::SegyFile file_;
  data::SegyGeometry geometry_;
  std::optional<VolumePrediction> prediction_;
};

void report_survey(const FaultsEvaluateConfig& c, const std::string& name, const VolumeEvaluation& j, double threshold,
                   const Call& call, const training::RunFolder& run) {
  training::Report report(run.path(), "Faults: evaluation of " + name, c.labels);
  auto& document = report.document();
  document.section("Summary");
  document.key_figures({{"average precision", fmt::format("{:.3f}", j.curve.average_precision())},
                        {fmt::format("Tol-IoU@{:g}", c.tolerance), fmt::format("{:.3f}", j.agreement.iou())},
                        {"of what is labelled found", fmt::format("{:.3f}", j.agreement.recall())},
                        {"of what is found labelled", fmt::format("{:.3f}", j.agreement.precision())}});
  document.paragraph(fmt::format(
      "In three dimensions, within {:g} lines and samples, where the labels say anything; {} from {:.2f} on{}. Average "
      "precision asks for the very sample.",
      c.tolerance, c.thin ? "what was found is thinned to one sample" : "what was found counts whole", threshold,
      c.thin_labels ? ", labels thinned too" : ""));
  document.section("Precision and recall");
  report.figure("precision_recall", precision_over_recall(j.curve, "found"),
                fmt::format("Sample by sample; {:.2f} % of the samples that are labelled are faults.",
                            100 * double(j.curve.positives()) / double(std::max<int64_t>(1, j.curve.count()))));
  training::add_provenance(report, {{"labels", c.labels}, {"found", name}}, call.keys.to_yaml());
  report.write();
}

// Whether what is to be evaluated is a cube.
bool is_cube(const FaultsEvaluateConfig& c) {
  if (c.data.empty()) return c.synthetic.inlines > 1;
  return fs::is_regular_file(fs::path(c.data)) && takes_cubes(data::SegyGeometry(data::SegyFile(c.data, c.places)));
}

// A survey in three dimensions, by all ranks together. False: a signal ended it.
bool evaluate_survey(const FaultsEvaluateConfig& c, const std::string& name, const FaultsModel* model,
                     const training::RunFolder& run, Call& call) {
  check(!c.labels.empty(), model ? c.data : c.found, " has no labels: give labels=, a SEG-Y file with the same traces");
  Found found(c, model, run);
  const data::SegyFile labels(c.labels, c.places);
  expect_same_places(found.file(), labels);
  const training::SignalWatch signals;
  if (!found.ready()) {
    fmt::print("stopped before the end of the prediction, so nothing was compared: give the command again\n");
    return false;
  }
  const double threshold = c.threshold.value_or(model ? model->threshold : 0.5);
  const VolumeEvaluation j = evaluate_volume([&](int64_t trace, std::span<float> values) { found.read(trace, values); },
                                             labels, found.geometry(),
                                             {.threshold = threshold,
                                              .tolerance = c.tolerance,
                                              .thin = c.thin,
                                              .thin_labels = c.thin_labels,
                                              .fault_values = c.fault_values,
                                              .memory = c.memory << 20});
  if (communicator().root()) fs::remove_all(run.file("parts"));
  check(j.curve.positives() > 0, c.labels, " labels no fault",
        c.fault_values.empty() ? "" : " by the values of fault_values=", ": there is nothing to compare with");
  if (!communicator().root()) return true;
  call.figures.add("average_precision", j.curve.average_precision());
  call.figures.add("threshold", threshold);
  call.figures.add("tolerance", c.tolerance);
  call.figures.add("tol_iou", j.agreement.iou());
  call.figures.add("tol_precision", j.agreement.precision());
  call.figures.add("tol_recall", j.agreement.recall());
  call.figures.add("fault_share", double(j.curve.positives()) / double(std::max<int64_t>(1, j.curve.count())));
  report_survey(c, name, j, threshold, call, run);
  run.write_result(call.figures.to_json());
  fmt::print("average precision {:.4f}; within {:g}: precision {:.4f}, recall {:.4f}, Tol-IoU {:.4f}\nreport: {}\n",
             j.curve.average_precision(), c.tolerance, j.agreement.precision(), j.agreement.recall(), j.agreement.iou(),
             run.file("report.html").string());
  return true;
}

}  // namespace

void run_faults_evaluate(const FaultsEvaluateConfig& c, Call& call) {
  const training::RunFolder run = open_results(c.run, c.overwrite);
  c.machine.apply();
  const auto of_survey = [&](const std::string& name, const FaultsModel* predicts) {
    bool whole = false;
    together([&] { whole = evaluate_survey(c, name, predicts, run, call); });
    if (!whole) call.exit_code = exit_code_of_signal();
  };
  if (!c.found.empty()) {
    check(c.data.empty() && c.model.empty(), "found= is what has been predicted: give it without model= and data=");
    return of_survey(c.found, nullptr);
  }
  FaultsModels models(c.model, c.machine.where());
  const bool cube = is_cube(c);
  const FaultsModel& model = models.of(cube);
  if (!model.takes_single_sections() && !c.data.empty()) {
    check(fs::is_regular_file(fs::path(c.data)), c.data, " is no file: model ", model.architecture,
          " looks across lines, in cubes of SEG-Y files");
    return of_survey(models.name(cube), &model);
  }
  std::vector<std::string> skipped;
  std::vector<LabelledSection> sections;
  std::string config = call.keys.to_yaml();
  if (c.data.empty()) {
    check(c.labels.empty(), "labels= is given without data=: name the SEG-Y file with the amplitudes too");
    const SyntheticKeys synthetic = synthetic_of(model, call.keys);
    if (model.synthetic.empty())
      warn(models.name(cube),
           " does not say what the sections that trained it were like: these are made by Kern's own ranges, ",
           "not the model's; give synthetic.…=");
    check(synthetic.inlines > 1 || model.takes_single_sections(), "model ", model.architecture,
          " looks across lines, and synthetic.inlines=1 makes sections: give more, e.g. synthetic.inlines=128");
    sections = synthetic.inlines == 1
                   ? synthetic_sections({.synthetic = synthetic.options(uint64_t(c.seed))}, c.sections)
                   : first_pieces({.synthetic = synthetic.options(uint64_t(c.seed)),
                                   .crop = {c.crop, c.crop, c.crop},
                                   .lines = model.dimensions == 2 ? model.lines : 0},
                                  c.sections);
    config += "\n# sections made of:\n" + synthetic.to_yaml();
  } else if (fs::is_directory(fs::path(c.data))) {
    sections = labelled_images(c, skipped);
  } else {
    check(!c.labels.empty(), c.data, " has no labels: give labels=, a SEG-Y file with the same traces");
    sections = labelled_file(c);
  }
  for (const std::string& s : skipped) warn("skipped: ", s);
  const FaultsEvaluation j = evaluate(model, sections, c.threshold.value_or(model.threshold), c.looks);
  if (!communicator().root()) return;
  call.figures.add("sections", int64_t(sections.size()));
  add_figures(call.figures, j);
  call.figures.add("best_f1", j.curve.best_f1().f1());
  call.figures.add("best_threshold", j.curve.best_f1().threshold);
  call.figures.add("fault_share", double(j.curve.positives()) / double(std::max<int64_t>(1, j.curve.count())));
  write_report(run, FaultsReport{.title = "Faults: evaluation of " + models.name(cube),
                                 .config = config,
                                 .model = &model,
                                 .sections = &sections,
                                 .evaluation = &j,
                                 .history = {},
                                 .skipped = skipped,
                                 .drawn = c.report_sections});
  run.write_result(call.figures.to_json());
  fmt::print("{} sections: {}\nreport: {}\n", sections.size(), summary_of(j), run.file("report.html").string());
}

}  // namespace kern::apps
