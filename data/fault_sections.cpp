#include "data/fault_sections.h"

#include <algorithm>
#include <cmath>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {

double amplitude_scale(std::span<const float> amplitudes) {
  std::vector<float> sizes;
  sizes.reserve(amplitudes.size());
  for (const float v : amplitudes)
    if (std::isfinite(v) && v != 0) sizes.push_back(std::abs(v));
  if (sizes.empty()) return 1;
  const size_t kept = std::max<size_t>(1, sizes.size() - sizes.size() / 100);
  std::nth_element(sizes.begin(), sizes.begin() + int64_t(kept - 1), sizes.end());
  double sum = 0;
  for (size_t i = 0; i < kept; ++i) sum += double(sizes[i]) * double(sizes[i]);
  return std::sqrt(sum / double(kept));
}

void scale_amplitudes(std::span<float> amplitudes, double scale) {
  const auto factor = float(std::min(1 / scale, 1e38));  // infinite, it would make a NaN of 0
  for (float& v : amplitudes) v = std::isfinite(v) ? std::clamp(v * factor, -kLoudest, kLoudest) : 0.0f;
}

void gain_control(std::span<float> trace, int64_t window) {
  internal_check(window >= 1, "a window of ", window, " samples");
  const auto n = int64_t(trace.size());
  std::vector<double> until(size_t(n) + 1, 0.0);  // sums of squares
  for (int64_t i = 0; i < n; ++i) {
    float& v = trace[size_t(i)];
    if (!std::isfinite(v)) v = 0;
    until[size_t(i) + 1] = until[size_t(i)] + double(v) * double(v);
  }
  for (int64_t i = 0; i < n; ++i) {
    const int64_t from = std::max<int64_t>(0, i - window / 2), to = std::min(n, i + (window + 1) / 2);
    const double square = (until[size_t(to)] - until[size_t(from)]) / double(to - from);
    trace[size_t(i)] = square > 0 ? float(double(trace[size_t(i)]) / std::sqrt(square)) : 0.0f;
  }
}

std::vector<float> section_of_image(const Image& grey, int64_t gain) {
  std::vector<float> v(size_t(grey.H * grey.W));
  double sum = 0;
  for (const uint8_t pixel : grey.pixels) sum += pixel;
  const auto mean = float(sum / double(grey.pixels.size()));
  for (int64_t x = 0; x < grey.W; ++x)
    for (int64_t y = 0; y < grey.H; ++y) v[size_t(x * grey.H + y)] = mean - float(*grey.at(y, x));
  if (gain > 0)
    for (int64_t x = 0; x < grey.W; ++x)
      gain_control(std::span(v).subspan(size_t(x * grey.H), size_t(grey.H)), std::max<int64_t>(3, gain));
  // One grey for long, down a column, is no signal: a mute, or the paper beside the section.
  constexpr int64_t kLong = 16;
  for (int64_t x = 0; x < grey.W; ++x)
    for (int64_t y = 0, end; y < grey.H; y = end) {
      for (end = y + 1; end < grey.H && *grey.at(end, x) == *grey.at(y, x);) ++end;
      if (end - y >= kLong) std::fill_n(v.begin() + x * grey.H + y, end - y, 0.0f);
    }
  scale_amplitudes(v, amplitude_scale(v));
  return v;
}

FaultSections::FaultSections(const SectionOptions& options) : options_(options) {
  check(options.sections >= 1 && options.batch >= 1, "an epoch needs at least one section and a batch too, got ",
        options.sections, " and ", options.batch);
  check(options.synthetic.inlines == 1, "sections have one inline, got ", options.synthetic.inlines);
  check_options(options.synthetic);
  if (options.windows) options.windows->expect_room(options.synthetic, options.part);
}

SectionBatch FaultSections::batch(const Epoch& epoch, int64_t index, const Share& share) const {
  const int64_t begin = index * options_.batch, samples = std::min(options_.batch, options_.sections - begin);
  check(index >= 0 && samples > 0, "there is no batch ", index, " of ", size());
  const int64_t H = options_.synthetic.crosslines, W = options_.synthetic.samples;
  const auto part = share.of(samples);
  const int64_t first = begin + part.first, N = part.size();
  SectionBatch out{
      N, H, W, std::vector<float>(size_t(N * H * W)), std::vector<int32_t>(size_t(N * H * W)), {samples, part.lent}};
  for (int64_t n = 0; n < N; ++n) {
    const int64_t made = (options_.fresh ? epoch.number : 0) * options_.sections + first + n;
    SyntheticVolume section = options_.windows ? options_.windows->window(options_.synthetic, made, options_.part)
                                               : synthetic_seismic(options_.synthetic, made);
    scale_amplitudes(section.amplitude, amplitude_scale(section.amplitude));
    RandomSequence random(options_.synthetic.seed, RandomStream::augment, uint32_t(epoch.number), uint32_t(first + n));
    const bool turned = random.uniform() < 0.5f && options_.augment,
               reversed = random.uniform() < 0.5f && options_.augment;
    for (int64_t x = 0; x < H; ++x) {
      const int64_t from = (turned ? H - 1 - x : x) * W, to = (n * H + x) * W;
      for (int64_t z = 0; z < W; ++z) {
        const float v = section.amplitude[size_t(from + z)];
        out.inputs[size_t(to + z)] = reversed ? -v : v;
        out.labels[size_t(to + z)] = section.label[size_t(from + z)];
      }
    }
  }
  return out;
}

}  // namespace kern::data
