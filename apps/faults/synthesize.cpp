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

// A plane of a volume: `across` values from left to right, `down` from top to bottom.
struct Plane {
  int64_t across, down, first, step_across, step_down;
};

// A plane, bare and with its faults in red, in the middle of cells of one size.
void add_plane(std::vector<data::Image>& cells, const data::SyntheticVolume& v, const Plane& plane, int64_t height,
               int64_t width) {
  std::vector<float> amplitude;
  std::vector<uint8_t> label;
  for (int64_t x = 0; x < plane.across; ++x)
    for (int64_t y = 0; y < plane.down; ++y) {
      const auto at = size_t(plane.first + x * plane.step_across + y * plane.step_down);
      amplitude.push_back(v.amplitude[at]), label.push_back(v.label[at]);
    }
  const data::Image grey = data::in_colours(data::seismic_image(amplitude, plane.across, plane.down, 0, 1, 65536));
  data::Image bare = data::make_raster<uint8_t>(height, width, 3, uint8_t(255));
  const int64_t top = (height - plane.down) / 2, left = (width - plane.across) / 2;
  for (int64_t y = 0; y < plane.down; ++y) std::copy_n(grey.at(y, 0), plane.across * 3, bare.at(top + y, left));
  data::Image marked = bare;
  for (int64_t x = 0; x < plane.across; ++x)
    for (int64_t y = 0; y < plane.down; ++y)
      if (label[size_t(x * plane.down + y)]) {
        uint8_t* p = marked.at(top + y, left + x);
        p[0] = 230, p[1] = 40, p[2] = 40;
      }
  cells.push_back(std::move(bare));
  cells.push_back(std::move(marked));
}

// The middle inline; of a cube the middle crossline and time slice too.
void add_images(std::vector<data::Image>& cells, const data::SyntheticVolume& v) {
  const int64_t I = v.inlines, X = v.crosslines, Z = v.samples;
  const int64_t height = I > 1 ? std::max(Z, I) : Z, width = std::max(X, I);
  add_plane(cells, v, {X, Z, I / 2 * X * Z, Z, 1}, height, width);
  if (I == 1) return;
  add_plane(cells, v, {I, Z, X / 2 * Z, X * Z, 1}, height, width);
  add_plane(cells, v, {X, I, Z / 2, Z, X * Z}, height, width);
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
    const data::SyntheticVolume v = windows ? windows->window(options, i) : data::synthetic_seismic(options, i);
    write_segy(out / fmt::format("amplitude_{:05}.sgy", i), v, c, interval, i, false);
    write_segy(out / fmt::format("faults_{:05}.sgy", i), v, c, interval, i, true);
    if (i < c.sheet) add_images(cells, v);
    faults += int64_t(v.faults.size());
    labelled += std::count(v.label.begin(), v.label.end(), 1);
    samples += int64_t(v.label.size());
  }
  if (!cells.empty())
    write_file(out / "sheet.png", data::encode_png(data::image_rows(cells, options.inlines == 1 ? 8 : 6)));
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
