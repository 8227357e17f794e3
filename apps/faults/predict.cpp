#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/build_info.h"
#include "apps/faults/evaluation.h"
#include "apps/faults/prediction.h"
#include "apps/faults/verbs.h"
#include "apps/ranks.h"
#include "data/image.h"
#include "data/npy.h"
#include "data/segy_inspect.h"
#include "data/segy_write.h"
#include "data/seismic_image.h"
#include "engine/agreement.h"
#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "training/report/cube_page.h"
#include "training/report/report.h"
#include "training/report/seismic_figures.h"
#include "training/section_inference.h"
#include "training/stop.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;
using What = VolumePrediction::What;

struct Job {
  fs::path from, to;  // to: its folder
};

bool is_npy(const fs::path& path) { return path.extension() == ".npy"; }

// What is written where. All that can be refused is refused here, before the work begins.
std::vector<Job> plan(const FaultsPredictConfig& c) {
  std::vector<fs::path> files{c.data};
  const bool folder = fs::is_directory(fs::path(c.data));
  if (folder) files = data::segy_files_below(c.data);
  else check(fs::exists(fs::path(c.data)), "there is no file ", c.data);
  std::vector<Job> jobs;
  std::set<fs::path> taken;
  for (const fs::path& from : files) {
    const fs::path name = folder ? from.lexically_relative(c.data) : from.filename();
    Job job{from, fs::path(c.out) / fs::path(name).replace_extension()};
    if (!taken.insert(job.to).second) job.to = fs::path(c.out) / name;  // a.sgy beside a.segy
    for (const char* result : {"faults.sgy", "faults.npy", "faults.png"})
      check(c.overwrite || !fs::exists(job.to / result), (job.to / result).string(),
            " is there already; choose another out= folder, or set overwrite=true");
    jobs.push_back(std::move(job));
  }
  return jobs;
}

// Results for every sample of the input, as a file of its kind; the ranks write it together, each a part of the traces.
class Results {
 public:
  Results(const Job& job, const data::SegyFile& file, const VolumePrediction& found)
      : job_(job), file_(file), found_(found) {}

  void write(const std::string& name, What what, const char* meaning) const {
    if (is_npy(job_.from)) return write_npy(name + ".npy", what);
    data::SegyWriter writer(job_.to / (name + ".sgy"), file_, {},
                            fmt::format("{} BY KERN {}; SAMPLES ARE {} FLOATS", meaning, build_info::kVersion,
                                        file_.layout().format == data::SegyFormat::ibm_float32 ? "IBM" : "IEEE"),
                            AtomicFile::Temporary::shared);
    each_trace(what, [&](int64_t t, std::span<const float> trace) { writer.write_trace(t, trace); });
    writer.commit();
  }

 private:
  void write_npy(const std::string& name, What what) const {
    data::NpyWriter writer(job_.to / name, data::NpyFile(job_.from).shape(), AtomicFile::Temporary::shared);
    each_trace(what, [&](int64_t t, std::span<const float> trace) { writer.write_at(t * file_.samples(), trace); });
    writer.commit();
  }
  template <class F>
  void each_trace(What what, const F& f) const {
    std::vector<float> trace(size_t(file_.samples()));
    const auto [first, last] = communicator().share(file_.traces());
    for (int64_t t = first; t < last; ++t) found_.read(what, t, trace), f(t, trace);
  }
  const Job& job_;
  const data::SegyFile& file_;
  const VolumePrediction& found_;
};

// A section of the file as it is drawn.
struct Drawn {
  std::string name, file;
  data::Image image;
  training::SectionFigure figure;
  double share = 0;  // of the samples that reach the threshold
};

double step_of(const data::SegyFile& file) { return file.layout().interval > 0 ? file.layout().interval / 1000 : 1; }
double start_of(const data::SegyFile& file) { return file.layout().interval > 0 ? file.layout().delay : 0; }

// The sample of a time slice; the middle one where no time is given.
int64_t slice_sample(const data::SegyFile& file, std::optional<double> at) {
  const double first = start_of(file), step = step_of(file);
  const double sample = at ? (*at - first) / step : std::floor(double(file.samples()) / 2);
  check(sample >= 0 && sample <= double(file.samples() - 1), "slice=", at.value_or(0), " lies outside ", file.name(),
        ", which goes from ", first, " to ", first + step * double(file.samples() - 1));
  return int64_t(std::lround(sample));
}

class Images {
 public:
  Images(const data::SegyFile& file, const data::SegyGeometry& geometry, const VolumePrediction& found,
         double threshold)
      : file_(file), geometry_(geometry), found_(found), threshold_(threshold) {
    unit_ = file.layout().unit();
    step_ = step_of(file), first_ = start_of(file);
  }

  Drawn section(const data::SegySection& s) const {
    const bool line = geometry_.kind() == data::SegyKind::line;
    const auto traces = int64_t(s.traces.size());
    // Of a very long line every so many traces: an image has no room for more.
    const int64_t every = (traces + kMax - 1) / kMax;
    std::vector<int64_t> shown;
    for (int64_t i = 0; i < traces; i += every) shown.push_back(s.traces[size_t(i)]);
    std::vector<float> p(shown.size() * size_t(file_.samples()), 0.0f);
    for (size_t i = 0; i < shown.size(); ++i)
      if (shown[i] >= 0)
        found_.read(What::probability, shown[i],
                    std::span(p).subspan(i * size_t(file_.samples()), size_t(file_.samples())));
    const std::string name = line ? "line" : fmt::format("{} {}", s.along_inline ? "inline" : "crossline", s.number);
    return draw(name, line ? "line" : fmt::format("{}_{}", s.along_inline ? "inline" : "crossline", s.number),
                found_.amplitudes(shown), p, int64_t(shown.size()), file_.samples(),
                {.x_label = line             ? "trace"
                            : s.along_inline ? "crossline"
                                             : "inline",
                 .y_label = unit_,
                 .x_first = double(s.columns.front()),
                 .x_last = double(s.columns.back()),
                 .y_first = first_,
                 .y_last = first_ + step_ * double(file_.samples() - 1)});
  }

  // Inlines downwards, crosslines sideways.
  Drawn slice(std::optional<double> at) const {
    const int64_t sample = slice_sample(file_, at);
    const auto& inlines = geometry_.inlines();
    const auto& crosslines = geometry_.crosslines();
    const auto every = [](size_t n) { return (int64_t(n) + kMax - 1) / kMax; };
    const int64_t down = every(inlines.size()), across = every(crosslines.size());
    const int64_t H = (int64_t(inlines.size()) + down - 1) / down,
                  W = (int64_t(crosslines.size()) + across - 1) / across;
    std::vector<float> amplitude(size_t(H * W), 0.0f), probability(size_t(H * W), 0.0f);
    std::vector<float> trace(size_t(file_.samples()));
    for (int64_t i = 0; i < H; ++i) {
      const data::SegySection s = geometry_.inline_section(inlines[size_t(i * down)]);
      for (int64_t x = 0; x < W; ++x) {
        const int64_t t = s.traces[size_t(x * across)];
        if (t < 0) continue;
        amplitude[size_t(x * H + i)] = found_.amplitudes(std::span(&t, 1))[size_t(sample)];
        found_.read(What::probability, t, trace);
        probability[size_t(x * H + i)] = trace[size_t(sample)];
      }
    }
    const double value = first_ + step_ * double(sample);
    const std::string name = fmt::format("slice at {:g} {}", value, unit_);
    return draw(name, fmt::format("slice_{:g}", value), amplitude, probability, W, H,
                {.x_label = "crossline",
                 .y_label = "inline",
                 .x_first = double(crosslines.front()),
                 .x_last = double(crosslines.back()),
                 .y_first = double(inlines.front()),
                 .y_last = double(inlines.back())});
  }

 private:
  static constexpr int64_t kMax = 1600;  // columns or rows of an image

  Drawn draw(const std::string& name, const std::string& file, std::span<const float> amplitude,
             std::span<const float> probability, int64_t traces, int64_t samples,
             training::SectionFigure figure) const {
    Drawn d{name, file + ".png", {}, std::move(figure)};
    const auto reach =
        std::count_if(probability.begin(), probability.end(), [&](float p) { return double(p) >= threshold_; });
    d.share = double(reach) / double(std::max<size_t>(1, probability.size()));
    data::Image grey = data::seismic_image(amplitude, traces, samples, 0, 1, kMax);
    // Small sections are magnified, so that a fault is more than a dot.
    const int64_t times = std::max<int64_t>(1, 600 / std::max(grey.H, grey.W));
    if (times > 1) grey = data::resize(grey, grey.H * times, grey.W * times);
    d.image = data::with_faults(grey, probability, traces, samples);
    d.figure.title = name;
    constexpr double kPixels = 2;
    const data::Image wide =
        data::resize(grey, int64_t(kPixels * d.figure.image_height()), int64_t(kPixels * d.figure.image_width()));
    d.figure.png = data::encode_png(data::with_faults(wide, probability, traces, samples));
    return d;
  }

  const data::SegyFile& file_;
  const data::SegyGeometry& geometry_;
  const VolumePrediction& found_;
  double threshold_;
  std::string unit_;
  double step_ = 1, first_ = 0;
};

double step_between(const std::vector<int>& lines) { return lines.size() > 1 ? double(lines[1] - lines[0]) : 1.0; }
int middle_of(const std::vector<int>& lines) { return lines[lines.size() / 2]; }

void write_images(const FaultsPredictConfig& c, const std::string& name, const FaultsModel& model,
                  const data::SegyFile& file, const data::SegyGeometry& geometry, const VolumePrediction& found,
                  const fs::path& out) {
  const double threshold = c.threshold.value_or(model.threshold);
  const Images images(file, geometry, found, threshold);
  std::vector<Drawn> drawn;
  const bool cube = geometry.kind() == data::SegyKind::cube;
  if (c.inline_number) drawn.push_back(images.section(geometry.inline_section(*c.inline_number)));
  else if (geometry.crosslines().size() > 1)
    drawn.push_back(images.section(geometry.inline_section(middle_of(geometry.inlines()))));
  if (c.crossline_number) drawn.push_back(images.section(geometry.crossline_section(*c.crossline_number)));
  else if (cube && geometry.inlines().size() > 1)
    drawn.push_back(images.section(geometry.crossline_section(middle_of(geometry.crosslines()))));
  if (cube && geometry.inlines().size() > 1 && geometry.crosslines().size() > 1) drawn.push_back(images.slice(c.slice));
  training::Report report(out, "Faults in " + file.name(), model.architecture);
  auto& page = report.document();
  page.section("Sections");
  for (const std::string& w : file.warnings()) page.note(w);
  for (const std::string& w : geometry.findings()) page.note(w);
  if (found.left_out() > 0)
    page.note(
        fmt::format("{} traces belong to no section (further traces of a place, or without a number): the "
                    "probability there is 0.",
                    found.left_out()));
  if (!drawn.empty()) page.figure(training::fault_colours(data::kClearBelow), "");
  for (const Drawn& d : drawn) {
    write_file(out / d.file, data::encode_png(d.image));
    report.figure(
        fs::path(d.file).stem().string(), training::section_figure(d.figure),
        fmt::format("Grey: plus and minus 3 sigma of the file; fault probability on top from {} (yellow) to 1 "
                    "(red). {:.2f} % of the samples reach {:.2f}.",
                    data::kClearBelow, 100 * d.share, threshold));
  }
  page.section("Files");
  const std::string end = is_npy(c.data) ? ".npy" : ".sgy";
  std::vector<std::pair<std::string, std::string>> files{{"faults" + end, "fault probability, 0 to 1"}};
  if (c.thin) files.emplace_back("thin" + end, "the same along the crest of each fault, else 0");
  if (c.dip) files.emplace_back("dip" + end, "degrees from the horizontal");
  if (c.azimuth) files.emplace_back("azimuth" + end, "degrees from north");
  if (c.sticks > 0) files.emplace_back("sticks.txt", "X Y Z stick, a point a line");
  if (c.page && cube) files.emplace_back("cube.html", "a page that slices through the cube");
  page.files(files);
  page.section("How it was made");
  page.facts({{"model", fmt::format("{}, {}", name, model.provenance)},
              {"its average precision", fmt::format("{:.3f} on synthetic sections", model.average_precision)},
              {"threshold of thinned faults", fmt::format("{:.2f}", c.threshold.value_or(model.threshold))},
              {"amplitudes divided by", fmt::format("{:.5g}", found.scale())}});
  report.write();
}

// The cube as a page that slices through it, of every so many lines and samples where it is large.
void write_cube_page(const data::SegyFile& file, const data::SegyGeometry& geometry, const VolumePrediction& found,
                     const fs::path& out) {
  constexpr int64_t kLongest = 256;
  const auto& inlines = geometry.inlines();
  const auto& crosslines = geometry.crosslines();
  const auto every = [](int64_t n) { return (n + kLongest - 1) / kLongest; };
  const int64_t down = every(int64_t(inlines.size())), across = every(int64_t(crosslines.size())),
                deep = every(file.samples());
  const auto shown = [](int64_t n, int64_t step) { return (n + step - 1) / step; };
  training::CubePage page{
      .title = "Faults in " + fs::path(file.name()).filename().string(),
      .text = down * across * deep == 1
                  ? std::string("All lines and samples.")
                  : fmt::format("One inline of {}, one crossline of {} and one sample of {} are shown.", down, across,
                                deep),
      .size = {shown(int64_t(inlines.size()), down), shown(int64_t(crosslines.size()), across),
               shown(file.samples(), deep)},
      .amplitude = {},
      .probability = {},
      .axes = {{{"inline", "", double(inlines.front()), double(down) * step_between(inlines)},
                {"crossline", "", double(crosslines.front()), double(across) * step_between(crosslines)},
                {"slice", file.layout().unit(), start_of(file), double(deep) * step_of(file)}}},
      .clear_below = data::kClearBelow};
  std::vector<float> p(size_t(file.samples()));
  for (int64_t i = 0; i < page.size.inlines; ++i) {
    const data::SegySection s = geometry.inline_section(inlines[size_t(i * down)]);
    for (int64_t x = 0; x < page.size.crosslines; ++x) {
      const int64_t t = s.traces[size_t(x * across)];
      const std::vector<float> amplitude = found.amplitudes(std::span(&t, 1));
      std::fill(p.begin(), p.end(), 0.0f);
      if (t >= 0) found.read(What::probability, t, p);
      for (int64_t z = 0; z < page.size.samples; ++z) {
        page.amplitude.push_back(training::amplitude_byte(amplitude[size_t(z * deep)]));
        page.probability.push_back(uint8_t(std::lround(255 * std::clamp(p[size_t(z * deep)], 0.0f, 1.0f))));
      }
    }
  }
  write_file(out / "cube.html", training::cube_page(page));
}

// By all ranks together. False: a signal ended it.
bool predict_segy(const FaultsPredictConfig& c, FaultsModels& models, const Job& job) {
  const bool npy = is_npy(job.from);
  const fs::path segy = npy ? job.to / "cube.sgy" : job.from;
  const bool root = communicator().root();
  if (npy && root) {
    const data::NpyFile cube(job.from);
    make_folder(job.to);
    write_as_segy({.name = cube.name(),
                   .shape = cube.shape(),
                   .read = [&](int64_t first, std::span<float> values) { cube.read(first, values); }},
                  segy);
  }
  if (npy) agree();  // it is there
  const data::SegyFile file(segy, npy ? data::SegyOptions{} : c.places);
  const data::SegyGeometry geometry(file);
  // What is to be drawn and is not there is said before the work.
  if (c.inline_number) geometry.inline_section(*c.inline_number);
  if (c.crossline_number) geometry.crossline_section(*c.crossline_number);
  if (c.slice) slice_sample(file, c.slice);
  say_findings(file, geometry);
  const bool cube = takes_cubes(geometry);
  const FaultsModel& model = models.of(cube);
  if (models.name(true) != models.name(false) && !cube)
    inform(file.name(), geometry.kind() == data::SegyKind::line ? " is a line" : " has too few lines for a cube",
           ": faults are sought section by section");
  VolumePrediction found(model, file, geometry, volume_options(c, model), job.to / "parts");
  if (found.resumed()) inform(file.name(), ": goes on where an earlier prediction ended");
  training::ProgressBar progress({.title = job.from.filename().string(),
                                  .unit = found.unit(),
                                  .mode = c.quiet ? training::ProgressMode::quiet : training::ProgressMode::automatic});
  if (!found.run(progress)) return false;
  const Results results(job, file, found);
  if (c.thin) results.write("thin", What::thinned, "THINNED FAULT PROBABILITY");
  if (c.dip) results.write("dip", What::dip, "FAULT DIP IN DEGREES");
  if (c.azimuth) results.write("azimuth", What::azimuth, "FAULT AZIMUTH IN DEGREES");
  if (c.sticks > 0 && root) write_file(job.to / "sticks.txt", found.sticks());
  if (c.page && cube && root) write_cube_page(file, geometry, found, job.to);
  if (c.images && root) write_images(c, models.name(cube), model, file, geometry, found, job.to);
  results.write("faults", What::probability, "FAULT PROBABILITY 0 TO 1");  // last: where it is, all is
  if (!root) return true;
  if (npy) fs::remove(segy);
  fs::remove_all(job.to / "parts");
  return true;
}

// A plain image of a section: dark and light are taken for the amplitudes, time runs downwards.
void predict_image(const FaultsPredictConfig& c, FaultsModels& models, const Job& job) {
  const data::Image grey = data::read_image(job.from, 1);
  const std::vector<float> v = data::section_of_image(grey, std::lround(c.agc));
  const std::vector<float> p = section_faults(models.of(false), v, grey.W, grey.H, c.looks);
  data::Image probability = data::make_raster(grey.H, grey.W, 1);
  for (int64_t x = 0; x < grey.W; ++x)
    for (int64_t y = 0; y < grey.H; ++y)
      *probability.at(y, x) = uint8_t(std::lround(255 * std::clamp(p[size_t(x * grey.H + y)], 0.0f, 1.0f)));
  make_folder(job.to);
  write_file(job.to / "probability.png", data::encode_png(probability));
  write_file(job.to / "faults.png", data::encode_png(data::with_faults(data::read_image(job.from), p, grey.W, grey.H)));
}

}  // namespace

void run_faults_predict(const FaultsPredictConfig& c, Call& call) {
  c.machine.apply();
  FaultsModels models(c.model, c.machine.where());
  models.expect();
  std::vector<Job> jobs;
  together([&] { jobs = plan(c); });  // before any of them writes
  const bool root = communicator().root();
  const training::SignalWatch signals;
  int64_t done = 0, skipped = 0;
  for (const Job& job : jobs) {
    try {
      bool whole = true;
      together([&] {
        if (!data::is_image_name(job.from)) whole = predict_segy(c, models, job);
        else if (root) predict_image(c, models, job);
      });
      if (!whole) {
        fmt::print("stopped; what is done is kept in {}: the same command goes on there\n",
                   (job.to / "parts").string());
        call.figures.add("stopped", true);
        call.exit_code = exit_code_of_signal();
        return;
      }
      ++done;
      fmt::print("{}: written to {}\n", terminal_text(job.from.string()), terminal_text(job.to.string()));
    } catch (const InternalError&) {
      throw;
    } catch (const RankLost&) {
      throw;
    } catch (const Error& e) {
      if (c.strict || jobs.size() == 1) throw;
      warn("skipped: ", e.sentence());
      ++skipped;
    }
  }
  if (jobs.size() > 1) fmt::print("{} files predicted, {} skipped\n", done, skipped);
  call.figures.add("files", done);
  call.figures.add("skipped", skipped);
  call.figures.add("out", c.out);
  if (skipped > 0 && root) call.exit_code = kUsersInput;
}

}  // namespace kern::apps
