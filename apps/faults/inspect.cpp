#include <fmt/format.h>

#include <algorithm>

#include "apps/faults/verbs.h"
#include "apps/faults/volume.h"
#include "data/below.h"
#include "data/segy_inspect.h"
#include "data/seismic_image.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"
#include "training/report/charts.h"
#include "training/report/report.h"
#include "training/report/seismic_figures.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string range_of(const std::vector<int>& axis) {
  if (axis.size() == 1) return fmt::format("{}", axis[0]);
  const int64_t step = int64_t(axis[1]) - axis[0];
  const bool regular = (int64_t(axis.back()) - axis[0]) == step * int64_t(axis.size() - 1);
  return fmt::format("{} to {} ({}{})", axis.front(), axis.back(), axis.size(),
                     !regular   ? ", at no regular step"
                     : step > 1 ? fmt::format(", every {}", step)
                                : "");
}

std::string sample_range(const data::SegyLayout& l) {
  if (l.interval == 0) return fmt::format("{} samples, interval unknown", l.samples);
  const double step = l.interval / 1000;
  return fmt::format("{} samples every {:g} {}, {:g} to {:g} {}", l.samples, step, l.unit(), l.delay,
                     l.delay + double(l.samples - 1) * step, l.unit());
}

// One file read and looked at.
struct Inspected {
  data::SegyFile file;
  data::SegyGeometry geometry;
  data::SegySummary summary;
  Inspected(const fs::path& path, const data::SegyOptions& places)
      : file(path, places), geometry(file), summary(data::inspect_segy(file, geometry)) {}

  std::string kind() const {
    const auto& g = geometry;
    if (g.kind() == data::SegyKind::cube && g.inlines().size() == 1) return "one inline of a 3-D survey";
    if (g.kind() == data::SegyKind::cube && g.crosslines().size() == 1) return "one crossline of a 3-D survey";
    return to_string(g.kind());
  }

  Facts facts() const {
    const data::SegyLayout& l = file.layout();
    const data::SegyAmplitudes& a = summary.amplitudes;
    const data::SegySpectrum& s = summary.spectrum;
    Facts f{{"file", file.name()},
            {"size", fmt::format("{:.1f} MB", double(file.bytes()) / 1e6)},
            {"what", fmt::format("{}, {} traces", kind(), file.traces())},
            {"samples", fmt::format("{}, {}", to_string(l.format), to_string(l.order))},
            {"revision", fmt::format("{}{}", l.revision,
                                     l.extended_texts > 0 ? fmt::format(", {} extended text headers", l.extended_texts)
                                                          : std::string())},
            {"inlines", range_of(geometry.inlines())},
            {"crosslines", range_of(geometry.crosslines())},
            {l.depth ? "depth" : "time", sample_range(l)}};
    if (summary.has_coordinates)
      f.emplace_back("coordinates", fmt::format("x {:.1f} to {:.1f}, y {:.1f} to {:.1f}", summary.x_least,
                                                summary.x_most, summary.y_least, summary.y_most));
    if (summary.inline_spacing > 0) f.emplace_back("between inlines", fmt::format("{:.2f} m", summary.inline_spacing));
    if (summary.crossline_spacing > 0)
      f.emplace_back("between crosslines", fmt::format("{:.2f} m", summary.crossline_spacing));
    f.emplace_back("amplitudes", fmt::format("{:.5g} to {:.5g}, mean {:.4g}, deviation {:.4g}", a.least, a.most, a.mean,
                                             a.deviation));
    f.emplace_back("robust", fmt::format("median {:.4g}, sigma {:.4g}, 1 % below {:.4g}, 1 % above {:.4g}", a.median,
                                         a.sigma, a.low, a.high));
    f.emplace_back("zeros", fmt::format("{:.1f} % of the samples", 100 * a.zeros));
    f.emplace_back("spectrum", fmt::format("peak {:.3g} {}, within 20 dB from {:.3g} to {:.3g}", s.peak,
                                           l.frequency_unit(), s.low, s.high));
    f.emplace_back(
        "amplitudes are divided by",
        fmt::format("{:.5g} before a network sees them, of whole sections and cubes", data::amplitude_scale_of(file)));
    f.emplace_back("looked at", fmt::format("{} traces", a.traces));
    return f;
  }
};

data::SegySection section_of(const Inspected& i, const SegyInspectConfig& c) {
  if (c.inline_number) return i.geometry.inline_section(*c.inline_number);
  if (c.crossline_number) return i.geometry.crossline_section(*c.crossline_number);
  return i.geometry.middle_section();
}

std::string name_of(const Inspected& i, const data::SegySection& s) {
  if (i.geometry.kind() == data::SegyKind::line) return "the line";
  return fmt::format("{} {}", s.along_inline ? "inline" : "crossline", s.number);
}

training::Svg draw_section(const Inspected& i, const data::SegySection& s, const fs::path& png) {
  const data::SegyLayout& l = i.file.layout();
  const std::vector<float> samples = data::read_section(i.file, s);
  const data::SegyAmplitudes& a = i.summary.amplitudes;
  const double sigma = a.sigma > 0 ? a.sigma : a.deviation;  // more than half of the samples may be zero
  const data::Image image = data::seismic_image(samples, int64_t(s.traces.size()), l.samples, a.median, sigma);
  write_file(png, data::encode_png(image));
  const double step = l.interval > 0 ? l.interval / 1000 : 1, first = l.interval > 0 ? l.delay : 0;
  training::SectionFigure figure{.title = name_of(i, s),
                                 .png = {},
                                 .x_label = i.geometry.kind() == data::SegyKind::line ? "trace"
                                            : s.along_inline                          ? "crossline"
                                                                                      : "inline",
                                 .y_label = l.unit(),
                                 .x_first = double(s.columns.front()),
                                 .x_last = double(s.columns.back()),
                                 .y_first = first,
                                 .y_last = first + step * double(l.samples - 1)};
  constexpr double kPixels = 2;  // of the image per pixel of the page: it may be looked at magnified
  figure.png = data::encode_png(
      data::resize(image, int64_t(kPixels * figure.image_height()), int64_t(kPixels * figure.image_width())));
  return training::section_figure(figure);
}

// Up to so many of the axis, the first and the last among them.
std::vector<size_t> spread(size_t count, size_t most) {
  std::vector<size_t> out;
  const size_t n = std::min(count, most);
  for (size_t i = 0; i < n; ++i) out.push_back(n == 1 ? 0 : i * (count - 1) / (n - 1));
  return out;
}

training::Svg draw_map(const Inspected& i, const data::SegySection& marked) {
  constexpr size_t kLines = 100, kPoints = 60;
  const bool metric = i.summary.has_coordinates;
  training::BaseMap map{.title = "base map",
                        .x_label = metric ? "x, m" : "crossline",
                        .y_label = metric ? "y, m" : "inline",
                        .lines = {},
                        .marked = {},
                        .marked_name = name_of(i, marked),
                        .metric = metric};
  const auto points = [&](const data::SegySection& s) {
    std::vector<std::pair<double, double>> line;
    for (const size_t k : spread(s.traces.size(), kPoints)) {
      if (s.traces[k] < 0) continue;
      if (metric) {
        const auto p = i.file.position(i.file.trace_header(s.traces[k]));
        line.emplace_back(p.x, p.y);
      } else {
        line.emplace_back(s.along_inline ? s.columns[k] : s.number, s.along_inline ? s.number : s.columns[k]);
      }
    }
    return line;
  };
  const bool by_inline = i.geometry.crosslines().size() > 1;
  const auto& numbers = by_inline ? i.geometry.inlines() : i.geometry.crosslines();
  for (const size_t k : spread(numbers.size(), kLines))
    map.lines.push_back(
        points(by_inline ? i.geometry.inline_section(numbers[k]) : i.geometry.crossline_section(numbers[k])));
  map.marked = points(marked);
  return training::base_map(map);
}

void write_report(const Inspected& i, const SegyInspectConfig& c, const fs::path& out) {
  const data::SegySection section = section_of(i, c);
  training::Report report(out, fs::path(i.file.name()).filename().string(), "what the SEG-Y file holds");
  training::HtmlDocument& page = report.document();
  page.section("What is odd");
  if (i.summary.findings.empty()) page.paragraph("Nothing that was looked for.");
  for (const std::string& f : i.summary.findings) page.note(f);
  page.section("The file");
  page.facts(i.facts());
  page.section("Section");
  report.figure("section", draw_section(i, section, out / "section.png"),
                "Grey: median plus and minus 3 sigma of the whole file; peaks dark");
  page.section("Where it is");
  report.figure("map", draw_map(i, section), "Every line drawn is one of the survey's, at most 100 of them");
  page.section("Spectrum");
  const data::SegySpectrum& s = i.summary.spectrum;
  report.figure("spectrum",
                training::line_chart({.title = "mean amplitude spectrum",
                                      .x_label = i.file.layout().frequency_unit(),
                                      .y_label = "amplitude",
                                      .x = s.frequency,
                                      .series = {{.name = "amplitude",
                                                  .values = s.amplitude,
                                                  .colour = "#2a7ab9",
                                                  .mark = training::Series::Mark::line}},
                                      .best_label = "",
                                      .from_zero = true}),
                "Windows of up to 512 samples under a Hann taper, traces spread over the file");
  page.section("Text header");
  std::string text;
  for (const std::string& line : i.file.text_header().lines) text += line + "\n";
  page.raw_block("as it stands", text, true);
  fmt::print("report: {}\n", report.write().string());
}

void inspect_one(const fs::path& path, const SegyInspectConfig& c, const fs::path& out, Call& call) {
  const Inspected i(path, c.places);
  section_of(i, c);  // a section that is not there is said before anything is printed
  for (const std::string& line : i.file.text_header().lines)
    if (!line.empty()) fmt::print("{}\n", terminal_text(line));
  fmt::print("\n");
  for (const auto& [name, value] : i.facts()) fmt::print("{:<26}{}\n", name, terminal_text(value));
  for (const std::string& f : i.summary.findings) fmt::print("odd: {}\n", terminal_text(f));
  if (i.summary.findings.empty()) fmt::print("nothing is odd\n");
  if (!out.empty()) write_report(i, c, out);
  const data::SegyLayout& l = i.file.layout();
  const data::SegyAmplitudes& a = i.summary.amplitudes;
  call.figures.add("kind", std::string(to_string(i.geometry.kind())));
  call.figures.add("traces", l.traces);
  call.figures.add("samples", l.samples);
  call.figures.add("format", int(l.format));
  call.figures.add("byte_order", std::string(to_string(l.order)));
  call.figures.add("revision", l.revision);
  call.figures.add("domain", std::string(l.depth ? "depth" : "time"));
  call.figures.add("unit", std::string(l.unit()));
  call.figures.add("interval_us", l.interval);
  call.figures.add("delay_ms", l.delay);
  call.figures.add("inlines", int64_t(i.geometry.inlines().size()));
  call.figures.add("first_inline", i.geometry.inlines().front());
  call.figures.add("last_inline", i.geometry.inlines().back());
  call.figures.add("crosslines", int64_t(i.geometry.crosslines().size()));
  call.figures.add("first_crossline", i.geometry.crosslines().front());
  call.figures.add("last_crossline", i.geometry.crosslines().back());
  call.figures.add("gaps", i.geometry.gaps());
  call.figures.add("least", a.least);
  call.figures.add("most", a.most);
  call.figures.add("median", a.median);
  call.figures.add("sigma", a.sigma);
  call.figures.add("divided_by", data::amplitude_scale_of(i.file));
  call.figures.add("peak_frequency", i.summary.spectrum.peak);
  call.figures.add("odd", i.summary.findings);
}

}  // namespace

void run_faults_inspect(const SegyInspectConfig& c, Call& call) {
  c.machine.apply();
  check(!c.inline_number || !c.crossline_number, "inline= and crossline= are both given: one section is drawn");
  std::error_code none;
  if (!fs::is_directory(c.data, none)) return inspect_one(c.data, c, c.out, call);
  // A folder: one after the other; what cannot be read is named and the rest goes on.
  const std::vector<fs::path> files = data::segy_files_below(c.data);
  int64_t refused = 0;
  for (const fs::path& path : files) try {
      fs::path out;
      if (!c.out.empty()) out = fs::path(c.out) / data::name_below(path, c.data).replace_extension();
      inspect_one(path, c, out, call);
      fmt::print("\n");
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      ++refused;
      fmt::print("refused: {}\n\n", terminal_text(e.sentence()));
    }
  fmt::print("{} files, {} of them refused\n", files.size(), refused);
  call.figures = {};
  call.figures.add("files", int64_t(files.size()));
  call.figures.add("refused", refused);
  if (refused > 0) call.exit_code = kUsersInput;
}

}  // namespace kern::apps
