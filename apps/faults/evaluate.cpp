#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/faults/report.h"
#include "apps/faults/verbs.h"
#include "apps/training_run.h"
#include "data/image_folder.h"
#include "data/segy_geometry.h"
#include "kernels/common/log.h"
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

// The sections of a file along its longer direction, with the traces of the same numbers of another.
std::vector<LabelledSection> labelled_file(const FaultsEvaluateConfig& c) {
  const data::SegyFile file(c.data, c.places), labels(c.labels, c.places);
  check(file.traces() == labels.traces() && file.samples() == labels.samples(), c.labels, " has ", labels.traces(),
        " traces of ", labels.samples(), " samples, ", c.data, " has ", file.traces(), " of ", file.samples(),
        ": they must be of the same places");
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
                      .H = int64_t(s.traces.size()),
                      .W = file.samples(),
                      .inputs = data::read_section(file, s),
                      .labels = {},
                      .broad = c.thin_labels};
    for (int64_t t = 0; t < l.H && c.agc > 0; ++t)
      data::gain_control(std::span(l.inputs).subspan(size_t(t * l.W), size_t(l.W)), std::max<int64_t>(3, gain));
    const std::vector<float> truth = data::read_section(labels, s);
    for (size_t i = 0; i < truth.size(); ++i)
      l.labels.push_back(s.traces[i / size_t(l.W)] < 0 ? -1 : truth[i] != 0 && std::isfinite(truth[i]));
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
                        .H = grey.W,
                        .W = grey.H,
                        .inputs = data::section_of_image(grey, std::lround(c.agc)),
                        .labels = std::vector<int32_t>(size_t(grey.H * grey.W), 0),
                        .broad = c.thin_labels};
      for (int64_t x = 0; x < s.H; ++x)
        for (int64_t y = 0; y < s.W; ++y) {
          const int v = *mask.at(y, x);
          const bool fault = c.fault_values.empty()
                                 ? v != 0
                                 : std::find(c.fault_values.begin(), c.fault_values.end(), v) != c.fault_values.end();
          s.labels[size_t(x * s.W + y)] = fault;
        }
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

}  // namespace

void run_faults_evaluate(const FaultsEvaluateConfig& c, Call& call) {
  const training::RunFolder run = open_results(c.run, c.overwrite);
  c.machine.apply();
  const FaultsModel model = load_faults_model(training::find_model_file(c.model));
  model.module.move_to(c.machine.where());
  std::vector<std::string> skipped;
  std::vector<LabelledSection> sections;
  std::string config = call.keys.to_yaml();
  if (c.data.empty()) {
    check(c.labels.empty(), "labels= is given without data=: name the SEG-Y file with the amplitudes too");
    const SyntheticKeys synthetic = synthetic_of(model, call.keys);
    if (model.synthetic.empty())
      warn(c.model, " does not say what the sections that trained it were like: these are made by Kern's own ranges, ",
           "not the model's; give synthetic.…=");
    sections = synthetic_sections({.synthetic = synthetic.options(uint64_t(c.seed))}, c.sections);
    config += "\n# sections made of:\n" + synthetic.to_yaml();
  } else if (fs::is_directory(fs::path(c.data))) {
    sections = labelled_images(c, skipped);
  } else {
    check(!c.labels.empty(), c.data, " has no labels: give labels=, a SEG-Y file with the same traces");
    sections = labelled_file(c);
  }
  for (const std::string& s : skipped) warn("skipped: ", s);
  const FaultsEvaluation j = evaluate(model, sections, c.threshold.value_or(model.threshold), c.flips);
  call.figures.add("sections", int64_t(sections.size()));
  add_figures(call.figures, j);
  call.figures.add("best_f1", j.curve.best_f1().f1());
  call.figures.add("best_threshold", j.curve.best_f1().threshold);
  call.figures.add("fault_share", double(j.curve.positives()) / double(std::max<int64_t>(1, j.curve.count())));
  write_report(run, FaultsReport{.title = "Faults: evaluation of " + c.model,
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
