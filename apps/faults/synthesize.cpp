#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/faults/verbs.h"
#include "data/image_draw.h"
#include "data/segy_geometry.h"
#include "data/segy_inspect.h"
#include "data/segy_write.h"
#include "data/seismic_picture.h"
#include "engine/atomic_file.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::apps {
namespace {

// Windows of a user's own sections, scaled to a deviation of 1 by robust statistics of the whole file.
class Windows {
 public:
  Windows(const std::string& path, const data::SegyOptions& places, const data::SyntheticSeismic& options)
      : file_(path, places), geometry_(file_), options_(options) {
    check(options.inlines == 1, "from= cuts faults into sections: inlines is ", options.inlines, ", leave it at 1");
    check(geometry_.kind() != data::SegyKind::prestack, path, " is prestack: from= needs stacked sections");
    columns_ = int64_t(geometry_.crosslines().size()), rows_ = int64_t(geometry_.inlines().size());
    const bool wide = columns_ >= options.crosslines, deep = rows_ >= options.crosslines;
    check((wide || deep) && file_.samples() >= options.samples, path, " is too small for windows of ",
          options.crosslines, " traces x ", options.samples, " samples: it has ", rows_, " inlines x ", columns_,
          " crosslines x ", file_.samples(), " samples; give smaller crosslines= and samples=");
    const data::SegySummary summary = data::inspect_segy(file_, geometry_);
    median_ = summary.amplitudes.median, sigma_ = summary.amplitudes.sigma;
    if (!(sigma_ > 0)) sigma_ = summary.amplitudes.deviation;
    check(sigma_ > 0, path, " holds no signal to cut faults into");
    along_inlines_ = wide, along_crosslines_ = deep;
  }

  // Microseconds; what `otherwise` says where the file does not.
  double interval(double otherwise) const {
    return file_.layout().interval > 0 ? std::clamp(std::round(file_.layout().interval), 1.0, 32767.0) : otherwise;
  }
  data::SyntheticVolume volume(int64_t index) const {
    RandomSequence random(options_.seed, RandomStream::synthesize, uint32_t(index), 1u << 31);
    const bool inline_section = along_inlines_ && (!along_crosslines_ || random.uniform() < 0.5f);
    const auto& lines = inline_section ? geometry_.inlines() : geometry_.crosslines();
    const int number = lines[random.below(uint32_t(lines.size()))];
    data::SegySection section = inline_section ? geometry_.inline_section(number) : geometry_.crossline_section(number);
    const int64_t n = options_.crosslines;
    const auto first = ptrdiff_t(random.below(uint32_t(int64_t(section.traces.size()) - n + 1)));
    const auto top = int64_t(random.below(uint32_t(file_.samples() - options_.samples + 1)));
    const std::vector<int64_t> traces(section.traces.begin() + first, section.traces.begin() + first + ptrdiff_t(n));
    std::vector<float> whole(size_t(n * file_.samples()));
    file_.read_traces(traces, whole);
    data::SyntheticVolume v{.inlines = 1, .crosslines = n, .samples = options_.samples};
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < options_.samples; ++k) {
        const double a = double(whole[size_t(i * file_.samples() + top + k)]);
        v.amplitude.push_back(std::isfinite(a) ? float((a - median_) / sigma_) : 0.0f);
      }
    data::cut_faults(v, options_, index);
    return v;
  }

 private:
  data::SegyFile file_;
  data::SegyGeometry geometry_;
  data::SyntheticSeismic options_;
  int64_t columns_ = 0, rows_ = 0;
  double median_ = 0, sigma_ = 1;
  bool along_inlines_ = true, along_crosslines_ = false;
};

void write_segy(const std::filesystem::path& path, const data::SyntheticVolume& v, const SynthesizeSeismicConfig& c,
                double interval, int64_t index, bool labels) {
  const data::SegyGrid grid{
      .inlines = {.first = 1, .step = 1, .count = v.inlines},
      .crosslines = {.first = 1, .step = 1, .count = v.crosslines},
      .samples = v.samples,
      .interval = interval,
      .text = {"SYNTHETIC SEISMIC BY KERN", labels ? "LABELS: 1 ON A FAULT, ELSE 0" : "AMPLITUDES",
               fmt::format("SEED {} VOLUME {}", c.seed, index)}};
  data::SegyWriter writer(path, grid, c.format);
  std::vector<float> trace(size_t(v.samples));
  for (int64_t t = 0; t < v.inlines * v.crosslines; ++t) {
    const auto from = size_t(t * v.samples);
    for (size_t k = 0; k < trace.size(); ++k) trace[k] = labels ? float(v.label[from + k]) : v.amplitude[from + k];
    writer.write_trace(t, trace);
  }
  writer.commit();
}

// The middle inline, bare and with its faults in red.
void add_pictures(std::vector<data::Image>& cells, const data::SyntheticVolume& v) {
  const int64_t section = v.crosslines * v.samples, from = v.inlines / 2 * section;
  const data::Image grey = data::in_colours(data::seismic_image(
      std::span(v.amplitude).subspan(size_t(from), size_t(section)), v.crosslines, v.samples, 0, 1, 65536));
  data::Image marked = grey;
  for (int64_t x = 0; x < v.crosslines; ++x)
    for (int64_t z = 0; z < v.samples; ++z)
      if (v.label[size_t(from + x * v.samples + z)]) {
        uint8_t* p = marked.at(z, x);
        p[0] = 230, p[1] = 40, p[2] = 40;
      }
  cells.push_back(grey);
  cells.push_back(std::move(marked));
}

}  // namespace

void run_synthesize_seismic(const SynthesizeSeismicConfig& c, Call& call) {
  const data::SyntheticSeismic options = c.synthetic.options(uint64_t(c.seed));
  std::optional<Windows> windows;
  if (!c.from.empty()) windows.emplace(c.from, c.places, options);
  const double interval = windows ? windows->interval(options.interval) : options.interval;
  const std::filesystem::path out = c.out;
  make_folder(out);
  std::vector<data::Image> cells;
  int64_t faults = 0, labelled = 0, samples = 0;
  for (int64_t i = 0; i < c.volumes; ++i) {
    const data::SyntheticVolume v = windows ? windows->volume(i) : data::synthetic_seismic(options, i);
    write_segy(out / fmt::format("amplitude_{:05}.sgy", i), v, c, interval, i, false);
    write_segy(out / fmt::format("faults_{:05}.sgy", i), v, c, interval, i, true);
    if (i < c.sheet) add_pictures(cells, v);
    faults += int64_t(v.faults.size());
    labelled += std::count(v.label.begin(), v.label.end(), 1);
    samples += int64_t(v.label.size());
  }
  if (!cells.empty()) write_file(out / "sheet.png", data::encode_png(data::picture_rows(cells, 8)));
  const double share = double(labelled) / double(samples);
  fmt::print("{} {} of {} x {} x {} with {} faults ({:.2f} % of the samples) in {}\n", c.volumes,
             options.inlines == 1 ? "sections" : "cubes", options.inlines, options.crosslines, options.samples, faults,
             100 * share, out.string());
  if (!cells.empty()) fmt::print("look at {}\n", (out / "sheet.png").string());
  call.figures.add("volumes", c.volumes);
  call.figures.add("samples", samples);
  call.figures.add("faults", faults);
  call.figures.add("fault_share", share);
  call.figures.add("out", out.string());
}

}  // namespace kern::apps
