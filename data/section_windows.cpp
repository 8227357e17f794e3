#include "data/section_windows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/segy_inspect.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {

SectionWindows::SectionWindows(const std::string& path, const SegyOptions& places)
    : file_(path, places), geometry_(file_) {
  check(geometry_.kind() != SegyKind::prestack, path, " is prestack: from= needs stacked sections");
  const SegySummary summary = inspect_segy(file_, geometry_);
  median_ = summary.amplitudes.median, deviation_ = summary.amplitudes.sigma;
  if (!(deviation_ > 0)) deviation_ = summary.amplitudes.deviation;
  check(deviation_ > 0, path, " holds no signal to cut faults into");
}

double SectionWindows::interval(double otherwise) const {
  return file_.layout().interval > 0 ? std::clamp(std::round(file_.layout().interval), 1.0, 32767.0) : otherwise;
}

SectionWindows::Area SectionWindows::area(Part part) const {
  const auto rows = int64_t(geometry_.inlines().size()), columns = int64_t(geometry_.crosslines().size());
  if (part == Part::whole) return {0, rows, 0, columns};
  const bool by_row = rows >= 10;
  const int64_t all = by_row ? rows : columns, kept = all - all / 5;
  const int64_t first = part == Part::training ? 0 : kept, count = part == Part::training ? kept : all - kept;
  return by_row ? Area{first, count, 0, columns} : Area{0, rows, first, count};
}

void SectionWindows::expect_room(const SyntheticSeismic& options, Part part) const {
  const Area a = area(part);
  const int64_t lines = options.inlines, traces = options.crosslines;
  const bool wide = a.rows >= lines && a.columns >= traces, deep = a.columns >= lines && a.rows >= traces;
  const char* which = part == Part::whole      ? ""
                      : part == Part::training ? " (without the fifth that validates)"
                                               : " (the fifth that validates)";
  const std::string size = lines == 1 ? std::string() : std::to_string(lines) + " lines x ";
  check((wide || deep) && file_.samples() >= options.samples, file_.name(), which, " is too small for windows of ",
        size, traces, " traces x ", options.samples, " samples: it has ", a.rows, " inlines x ", a.columns,
        " crosslines x ", file_.samples(), " samples; give smaller ", lines == 1 ? "" : "inlines=, ",
        "crosslines= and samples=");
}

SyntheticVolume SectionWindows::window(const SyntheticSeismic& options, int64_t index, Part part) const {
  expect_room(options, part);
  const Area a = area(part);
  const int64_t lines = options.inlines, n = options.crosslines, samples = file_.samples();
  RandomSequence random(options.seed, RandomStream::synthesize, uint32_t(index), 1u << 31);
  const bool wide = a.columns >= n && a.rows >= lines, deep = a.rows >= n && a.columns >= lines;
  const bool along_inline = wide && (!deep || random.uniform() < 0.5f);
  const int64_t first_line = along_inline ? a.first_row : a.first_column, all_lines = along_inline ? a.rows : a.columns;
  const auto line = size_t(first_line + random.below(uint32_t(all_lines - lines + 1)));
  const int64_t from = along_inline ? a.first_column : a.first_row, room = along_inline ? a.columns : a.rows;
  const auto first = ptrdiff_t(from + random.below(uint32_t(room - n + 1)));
  const auto top = int64_t(random.below(uint32_t(samples - options.samples + 1)));
  SyntheticVolume v{.inlines = lines, .crosslines = n, .samples = options.samples};
  v.amplitude.reserve(size_t(lines * n * options.samples));
  std::vector<float> values(size_t(n * samples));
  for (size_t l = line; l < line + size_t(lines); ++l) {
    const SegySection whole = along_inline ? geometry_.inline_section(geometry_.inlines()[l])
                                           : geometry_.crossline_section(geometry_.crosslines()[l]);
    const std::vector<int64_t> traces(whole.traces.begin() + first, whole.traces.begin() + first + ptrdiff_t(n));
    file_.read_traces(traces, values);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < options.samples; ++k) {
        const auto amplitude = double(values[size_t(i * samples + top + k)]);
        const bool known = traces[size_t(i)] >= 0 && std::isfinite(amplitude);
        v.amplitude.push_back(known ? float((amplitude - median_) / deviation_) : 0.0f);
      }
  }
  cut_faults(v, options, index);
  return v;
}

}  // namespace kern::data
