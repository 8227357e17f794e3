#include "data/segy_inspect.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "data/fourier.h"
#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int64_t kMaxSamples = int64_t(1) << 22;
constexpr int64_t kLongestWindow = 512;

// Traces spread evenly over the file.
std::vector<int64_t> sampled_traces(const SegyFile& file) {
  const int64_t most = std::clamp<int64_t>(kMaxSamples / file.samples(), 1, 20000);
  const int64_t count = std::min(file.traces(), most);
  std::vector<int64_t> traces;
  for (int64_t i = 0; i < count; ++i) traces.push_back(i * file.traces() / count);
  return traces;
}

void look_at_amplitudes(SegyAmplitudes& a, std::vector<float>& values) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) {
    a.least = a.most = a.mean = a.deviation = a.median = a.sigma = a.low = a.high = nan;
    return;
  }
  const auto n = double(values.size());
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  a.least = double(*least), a.most = double(*most);
  int64_t zeros = 0, ends = 0;
  double sum = 0, square = 0;
  for (const float v : values) {
    sum += double(v);
    zeros += v == 0;
    ends += double(v) == a.least || double(v) == a.most;
  }
  a.mean = sum / n;
  for (const float v : values) square += (double(v) - a.mean) * (double(v) - a.mean);
  a.deviation = std::sqrt(square / n);
  a.zeros = double(zeros) / n;
  a.clipped = double(ends) / n;
  const auto share = [&](double q) { return double(quantile_nearest(values, q)); };
  a.low = share(0.01), a.high = share(0.99), a.median = share(0.5);
  for (float& v : values) v = std::abs(v - float(a.median));
  a.sigma = kDeviationPerMad * share(0.5);
}

void look_at_spectrum(SegySpectrum& s, const PowerSpectrum& power, double interval) {
  const double step = 1 / (double(power.window()) * (interval > 0 ? interval * 1e-6 : 1));
  s.amplitude = power.mean();
  double most = 0;
  for (double& v : s.amplitude) v = std::sqrt(v), most = std::max(most, v);
  s.low = std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < s.amplitude.size(); ++k) {
    const double f = double(k) * step;
    s.frequency.push_back(f);
    if (most > 0) s.amplitude[k] /= most;
    if (s.amplitude[k] == 1) s.peak = f;
    if (s.amplitude[k] >= 0.1) s.low = std::min(s.low, f), s.high = f;
  }
  if (most == 0) s.low = 0;
}

// Metres from column to column of a section: between its first and its last trace.
double spacing_of(const SegyFile& file, const SegySection& s) {
  const auto there = [](int64_t t) { return t >= 0; };
  const auto first = std::find_if(s.traces.begin(), s.traces.end(), there);
  const auto last = std::find_if(s.traces.rbegin(), s.traces.rend(), there);
  if (first == s.traces.end()) return 0;
  const auto steps = (s.traces.rend() - last) - 1 - (first - s.traces.begin());
  if (steps < 1) return 0;
  const auto a = file.position(file.trace_header(*first)), b = file.position(file.trace_header(*last));
  return std::hypot(b.x - a.x, b.y - a.y) / double(steps);
}

void name_odd_things(SegySummary& s, const SegyFile& file) {
  const auto say = [&](const auto&... parts) { s.findings.push_back(text(parts...)); };
  const SegyAmplitudes& a = s.amplitudes;
  const auto percent = [](double share) { return std::round(share * 1000) / 10; };
  if (a.not_finite > 0)
    say(a.not_finite, " of ", a.samples, " samples are no finite number; are the sample format (",
        to_string(file.layout().format), ") and the byte order (", to_string(file.layout().order), ") right?");
  if (a.samples > a.not_finite && a.least == a.most) say("every sample is ", a.least, ": the file holds no signal");
  else if (a.flat > 0) say(a.flat, " of ", a.traces, " traces looked at hold one value throughout (dead or muted)");
  if (a.least < a.most && a.clipped > 0.005 && std::abs(a.least) > 0.5 * a.most)
    say(percent(a.clipped), " % of the samples are the least or the greatest value: the amplitudes are clipped");
  if (a.sigma > 0 && std::max(std::abs(a.least), std::abs(a.most)) > 1000 * a.sigma)
    say("single values are more than 1000 times the usual size (", a.least, " to ", a.most, ", sigma ", a.sigma,
        "): spikes, or a wrong sample format");
  if (a.deviation > 0 && std::abs(a.mean) > 0.5 * a.deviation)
    say("the mean, ", a.mean, ", is far from zero for a deviation of ", a.deviation,
        ": an attribute rather than amplitudes, or a constant was added");
  if (!s.has_coordinates && file.traces() > 1)
    say("no coordinates: bytes ", file.options().x, " and ", file.options().y,
        ", and 73 and 77, are 0 or the same in every trace looked at");
}

}  // namespace

SegySummary inspect_segy(const SegyFile& file, const SegyGeometry& geometry) {
  SegySummary s;
  SegyAmplitudes& a = s.amplitudes;
  const std::vector<int64_t> traces = sampled_traces(file);
  const auto window = std::min<int64_t>(kLongestWindow, int64_t(std::bit_ceil(uint64_t(file.samples()))));
  PowerSpectrum power(window);
  std::vector<float> trace(size_t(file.samples())), values;
  s.x_least = s.y_least = std::numeric_limits<double>::infinity();
  s.x_most = s.y_most = -s.x_least;
  for (const int64_t t : traces) {
    file.read_trace(t, trace);
    const size_t before = values.size();
    for (const float v : trace)
      if (std::isfinite(v)) values.push_back(v);
    a.not_finite += file.samples() - int64_t(values.size() - before);
    a.flat += std::all_of(trace.begin(), trace.end(), [&](float v) { return v == trace[0]; });
    if (values.size() - before == trace.size()) power.add(trace);
    const SegyFile::Position p = file.position(file.trace_header(t));
    s.x_least = std::min(s.x_least, p.x), s.x_most = std::max(s.x_most, p.x);
    s.y_least = std::min(s.y_least, p.y), s.y_most = std::max(s.y_most, p.y);
  }
  a.traces = int64_t(traces.size());
  a.samples = a.traces * file.samples();
  look_at_amplitudes(a, values);
  look_at_spectrum(s.spectrum, power, file.layout().interval);
  s.has_coordinates = s.x_least < s.x_most || s.y_least < s.y_most;
  if (s.has_coordinates) {
    if (geometry.crosslines().size() > 1) {
      const auto& lines = geometry.inlines();
      s.crossline_spacing = spacing_of(file, geometry.inline_section(lines[lines.size() / 2]));
    }
    if (geometry.inlines().size() > 1) {
      const auto& lines = geometry.crosslines();
      s.inline_spacing = spacing_of(file, geometry.crossline_section(lines[lines.size() / 2]));
    }
  }
  s.findings = file.warnings();
  s.findings.insert(s.findings.end(), geometry.findings().begin(), geometry.findings().end());
  name_odd_things(s, file);
  return s;
}

bool is_segy_name(const std::filesystem::path& path) {
  std::string end = path.extension().string();
  std::transform(end.begin(), end.end(), end.begin(), [](unsigned char ch) { return char(std::tolower(ch)); });
  return end == ".sgy" || end == ".segy" || end == ".seg";
}

std::vector<std::filesystem::path> segy_files_below(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code no_file;  // a link that leads nowhere, or in a circle
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (is_segy_name(entry.path()) && entry.is_regular_file(no_file)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  check(!files.empty(), folder.string(), " holds no .sgy, .segy or .seg file");
  return files;
}

}  // namespace kern::data
