#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "apps/faults/verbs.h"
#include "data/image_draw.h"
#include "data/section_windows.h"
#include "data/segy_write.h"
#include "data/seismic_image.h"
#include "engine/atomic_file.h"

namespace kern::apps {
namespace {

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
void add_images(std::vector<data::Image>& cells, const data::SyntheticVolume& v) {
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

void run_faults_synthesize(const SynthesizeSeismicConfig& c, Call& call) {
  const data::SyntheticSeismic options = c.synthetic.options(uint64_t(c.seed));
  std::optional<data::SectionWindows> windows;
  if (!c.from.empty()) {
    windows.emplace(c.from, c.places);
    windows->expect_room(options, data::SectionWindows::Part::whole);
  }
  const double interval = windows ? windows->interval(options.interval) : options.interval;
  const std::filesystem::path out = c.out;
  make_folder(out);
  std::vector<data::Image> cells;
  int64_t faults = 0, labelled = 0, samples = 0;
  for (int64_t i = 0; i < c.volumes; ++i) {
    const data::SyntheticVolume v = windows ? windows->section(options, i) : data::synthetic_seismic(options, i);
    write_segy(out / fmt::format("amplitude_{:05}.sgy", i), v, c, interval, i, false);
    write_segy(out / fmt::format("faults_{:05}.sgy", i), v, c, interval, i, true);
    if (i < c.sheet) add_images(cells, v);
    faults += int64_t(v.faults.size());
    labelled += std::count(v.label.begin(), v.label.end(), 1);
    samples += int64_t(v.label.size());
  }
  if (!cells.empty()) write_file(out / "sheet.png", data::encode_png(data::image_rows(cells, 8)));
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
