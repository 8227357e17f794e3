#include "data/seismic_noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "data/fault_sections.h"
#include "data/seismic_wavelet.h"

namespace kern::data {
namespace {
constexpr double kTurn = 2 * std::numbers::pi;

std::span<float> trace_of(SyntheticVolume& v, int64_t line, int64_t trace) {
  return std::span(v.amplitude).subspan(size_t((line * v.crosslines + trace) * v.samples), size_t(v.samples));
}
template <class F>
void for_each_trace(SyntheticVolume& v, const F& f) {  // f(inline, crossline, the trace)
  for (int64_t j = 0; j < v.inlines; ++j)
    for (int64_t i = 0; i < v.crosslines; ++i) f(j, i, trace_of(v, j, i));
}

// Of deviation 1: white noise through a wavelet down the traces, smoothed from trace to trace and line to line.
std::vector<float> coloured_noise(const SyntheticVolume& v, const std::vector<float>& wavelet, double width,
                                  RandomSequence& random) {
  const float keep = width > 0 ? float(std::exp(-1 / width)) : 0.0f;
  const int64_t n = v.samples, traces = v.inlines * v.crosslines;
  std::vector<float> white(size_t(n) + wavelet.size() - 1), noise(size_t(traces * n));
  for (int64_t t = 0; t < traces; ++t) {
    for (float& w : white) w = random.uniform() - 0.5f;  // many of them are added up: that is normal enough
    float* trace = &noise[size_t(t * n)];
    convolve(white.data(), wavelet, trace, n);
    const auto blend = [&](int64_t other, float share) {
      const float* from = &noise[size_t(other * n)];
      vectorised([=] {
        for (int64_t i = 0; i < n; ++i) trace[i] += share * from[i];
      });
    };
    if (keep == 0) continue;
    const bool beside = t % v.crosslines > 0, behind = t >= v.crosslines;
    if (beside) blend(t - 1, keep);
    if (behind) blend(t - v.crosslines, keep);
    if (beside && behind) blend(t - v.crosslines - 1, -keep * keep);
  }
  const double d = deviation_of(noise);
  if (d > 0)
    for (float& x : noise) x = float(double(x) / d);
  return noise;
}

// Adds `strength` times a wavelet with its middle at a depth between samples.
void add_event(std::span<float> trace, const std::vector<float>& wavelet, double at, float strength) {
  const auto half = int64_t(wavelet.size() / 2), base = int64_t(std::floor(at)), n = int64_t(trace.size());
  const auto f = float(at - double(base));
  for (int64_t i = std::max<int64_t>(0, base - half); i < std::min(n, base + half + 1); ++i) {
    const int64_t k = i - base + half;
    const float here = wavelet[size_t(k)], above = k > 0 ? wavelet[size_t(k - 1)] : 0.0f;
    trace[size_t(i)] += strength * (here + f * (above - here));
  }
}
}  // namespace

double deviation_of(const std::vector<float>& values) {
  double mean = 0, square = 0;
  for (const float x : values) mean += double(x);
  mean /= double(values.size());
  for (const float x : values) square += (double(x) - mean) * (double(x) - mean);
  return std::sqrt(square / double(values.size()));
}

void standardise(std::vector<float>& values) {
  const double d = deviation_of(values);
  double mean = 0;
  for (const float v : values) mean += double(v);
  mean /= double(values.size());
  for (float& v : values) v = d > 0 ? float((double(v) - mean) / d) : 0.0f;
}

void smear(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index) {
  RandomSequence random = random_of(o, index, SyntheticPart::smear);
  const double deviation = draw(random, o.smear);
  if (deviation < 0.05) return;
  const auto half = int64_t(std::ceil(2.5 * deviation));
  std::vector<float> weights;
  float sum = 0;
  for (int64_t k = -half; k <= half; ++k) {
    weights.push_back(float(std::exp(-0.5 * double(k * k) / (deviation * deviation))));
    sum += weights.back();
  }
  for (float& w : weights) w /= sum;
  const int64_t n = v.samples;
  // Along `count` traces that stand `step` apart, from `first`; those at the ends go on as they are.
  std::vector<float> line;
  const auto blur = [&](int64_t first, int64_t count, int64_t step) {
    line.resize(size_t(count * n));
    for (int64_t t = 0; t < count; ++t) std::copy_n(&v.amplitude[size_t(first + t * step)], n, &line[size_t(t * n)]);
    for (int64_t t = 0; t < count; ++t) {
      float* out = &v.amplitude[size_t(first + t * step)];
      std::fill_n(out, n, 0.0f);
      for (int64_t k = -half; k <= half; ++k) {
        const float w = weights[size_t(k + half)];
        const float* from = &line[size_t(std::clamp<int64_t>(t + k, 0, count - 1) * n)];
        vectorised([=] {
          for (int64_t i = 0; i < n; ++i) out[i] += w * from[i];
        });
      }
    }
  };
  for (int64_t j = 0; j < v.inlines; ++j) blur(j * v.crosslines * n, v.crosslines, n);
  if (v.inlines > 1)
    for (int64_t i = 0; i < v.crosslines; ++i) blur(i * n, v.inlines, v.crosslines * n);
}

void add_decay(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index) {
  RandomSequence random = random_of(o, index, SyntheticPart::gain);
  if (!chance(random, o.decay)) return;
  const double steepness = random.uniform(0.5, 2.5);
  std::vector<float> gain;
  for (int64_t k = 0; k < v.samples; ++k)
    gain.push_back(float(std::exp(-steepness * double(k) / double(std::max<int64_t>(v.samples - 1, 1)))));
  for_each_trace(v, [&](int64_t, int64_t, std::span<float> trace) {
    for (size_t k = 0; k < trace.size(); ++k) trace[k] *= gain[k];
  });
}

void add_noise(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index, double period, const Drop& drop) {
  RandomSequence random = random_of(o, index, SyntheticPart::noise);
  const double loud = double(random.uniform()) * double(random.uniform());  // more often quiet
  v.noise = o.noise.low > 0 ? o.noise.low * std::pow(o.noise.high / o.noise.low, loud)
                            : o.noise.low + loud * (o.noise.high - o.noise.low);
  const double band = random.uniform(0.7, 1.5), hertz = draw(random, o.noise_frequency);
  const double frequency = o.noise_frequency.high > 0 ? hertz : std::min(0.5, band / period) * 1e6 / o.interval;
  const double width = draw(random, o.noise_width);
  const bool dips = chance(random, o.noise_dip);
  if (v.noise == 0) return;
  const std::vector<float> noise = coloured_noise(v, ricker_wavelet(frequency, o.interval), width, random);
  const double signal = deviation_of(v.amplitude);
  const auto share = float(signal > 0 ? v.noise * signal : 1);
  const int64_t n = v.samples;
  for_each_trace(v, [&](int64_t j, int64_t i, std::span<float> trace) {
    const float* from = &noise[size_t((j * v.crosslines + i) * n)];
    const float down = dips ? drop(float(i), float(j)) : 0.0f, whole = std::floor(down), f = down - whole;
    int64_t k = -int64_t(whole) % n;  // what leaves at the bottom comes in at the top
    if (k < 0) k += n;
    int64_t before = k == 0 ? n - 1 : k - 1;
    for (int64_t z = 0; z < n; ++z) {
      trace[size_t(z)] += share * (from[k] + f * (from[before] - from[k]));
      before = k;
      if (++k == n) k = 0;
    }
  });
}

void add_coherent_noise(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index, double period) {
  const auto signal = float(deviation_of(v.amplitude));
  const double depth = double(v.samples);
  RandomSequence random = random_of(o, index, SyntheticPart::footprint);
  if (chance(random, o.footprint)) {
    // Lines of like gain, every so many, along inlines, crosslines or both; strongest at the top.
    const bool along = chance(random, 0.6), both = chance(random, 0.3);
    const double every = random.uniform(3, 12), drift = random.uniform(0, kTurn), reach = random.uniform(0.2, 1.5);
    const auto louder = float(random.uniform(0.1, 0.6)), added = float(random.uniform(0, 0.5)) * signal;
    std::vector<float> own(size_t(v.samples)), fade(size_t(v.samples));
    const std::vector<float> wavelet = ricker_wavelet(std::min(0.5, 1 / period) * 1e6 / o.interval, o.interval);
    std::vector<float> white(size_t(v.samples) + wavelet.size() - 1);
    for (float& w : white) w = random.normal();
    convolve(white.data(), wavelet, own.data(), v.samples);
    const double d = std::max(deviation_of(own), 1e-6);
    for (size_t k = 0; k < own.size(); ++k) {
      fade[k] = float(std::exp(-double(k) / (reach * depth)));
      own[k] = float(double(own[k]) / d);
    }
    const auto stripe = [&](int64_t at) {
      const double t = kTurn * double(at) / every + drift;
      return std::cos(t) + 0.5 * std::cos(2 * t + 1);
    };
    for_each_trace(v, [&](int64_t j, int64_t i, std::span<float> trace) {
      const double first = stripe(along ? i : j), second = both ? stripe(along ? j : i) : 0;
      const auto s = float(0.6 * (first + second));
      for (size_t k = 0; k < trace.size(); ++k)
        trace[k] = trace[k] * (1 + louder * s * fade[k]) + added * s * fade[k] * own[k];
    });
  }
  random = random_of(o, index, SyntheticPart::smiles);
  if (chance(random, o.smiles)) {
    const std::vector<float> wavelet =
        wavelet_of({.period = period, .phase = random.uniform(0, kTurn)}, int64_t(1.5 * period) + 1);
    for (int count = random.between(2, 12); count > 0; --count) {
      const double x = random.uniform(0, double(v.crosslines)), y = random.uniform(0, double(v.inlines)),
                   z = random.uniform(0.2, 1.2) * depth, radius = random.uniform(0.15, 0.6) * double(v.crosslines),
                   strength = random.uniform(0.4, 1.6) * double(signal);
      const auto reach = int64_t(radius);
      for (int64_t j = std::max<int64_t>(0, int64_t(y) - reach); j < std::min(v.inlines, int64_t(y) + reach + 1); ++j)
        for (int64_t i = std::max<int64_t>(0, int64_t(x) - reach); i < std::min(v.crosslines, int64_t(x) + reach + 1);
             ++i) {
          const double dy = v.inlines > 1 ? double(j) - y : 0, dx = double(i) - x,
                       r = (dx * dx + dy * dy) / (radius * radius);
          if (r < 0.95) add_event(trace_of(v, j, i), wavelet, z * std::sqrt(1 - r), float(strength * (1 - r)));
        }
    }
  }
  random = random_of(o, index, SyntheticPart::ground_roll);
  if (chance(random, o.ground_roll)) {
    // Fans of steep events from a few source lines, slow and low.
    const bool along = v.inlines == 1 || chance(random, 0.5);
    const double slow = period * random.uniform(1.3, 2.5), steep = random.uniform(1, 4);
    const std::vector<float> wavelet = wavelet_of({.period = slow}, int64_t(1.5 * slow) + 1);
    for (int count = random.between(1, 3); count > 0; --count) {
      const double source = random.uniform(-0.2, 1.2) * double(along ? v.crosslines : v.inlines),
                   first = random.uniform(-20, 20), wander = random.uniform(20, 60), phase = random.uniform(0, kTurn),
                   strength = random.uniform(0.4, 1.5) * double(signal), reach = random.uniform(0.3, 1) * depth;
      for_each_trace(v, [&](int64_t j, int64_t i, std::span<float> trace) {
        const double bends = 3 * std::sin(double(along ? j : i) / wander + phase);
        const double z = first + steep * std::abs(double(along ? i : j) - source - bends);
        for (int cycle = 0; cycle < 3; ++cycle) {
          const double at = z + 1.1 * slow * cycle;
          if (at < depth + 2 * slow)
            add_event(trace, wavelet, at,
                      float((cycle % 2 ? -1 : 1) * strength * std::exp(-std::max(at, 0.0) / reach)));
        }
      });
    }
  }
}

void add_gain(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index) {
  RandomSequence random = random_of(o, index, SyntheticPart::seam);
  if (chance(random, o.seam)) {  // two surveys made one: no layer moves
    const double x = random.uniform(0.1, 0.9) * double(v.crosslines), y = random.uniform(0.1, 0.9) * double(v.inlines),
                 angle = chance(random, 0.5) ? random.uniform(0, kTurn) : kTurn / 4 * random.between(0, 3);
    const auto gain = float(random.uniform(1.5, 3.5));
    for_each_trace(v, [&](int64_t j, int64_t i, std::span<float> trace) {
      const double across = (double(i) - x) * std::cos(angle) + (v.inlines > 1 ? double(j) - y : 0) * std::sin(angle);
      if (across > 0)
        for (float& a : trace) a *= gain;
    });
  }
  random = random_of(o, index, SyntheticPart::gain);
  random.next(), random.next();  // the decay's
  if (chance(random, o.agc)) {
    const int64_t window = random.between(16, 100);
    for_each_trace(v, [&](int64_t, int64_t, std::span<float> trace) { gain_control(trace, window); });
  }
  random = random_of(o, index, SyntheticPart::stripes);
  if (chance(random, o.stripes)) {
    // Slices scaled one by one, or in packets.
    const double strength = random.uniform(0.1, 0.5), shift = random.uniform(0, 0.3);
    const int64_t packet = chance(random, 0.5) ? 1 : random.between(2, 12);
    const double d = deviation_of(v.amplitude);
    std::vector<float> gain(size_t(v.samples)), level(gain);
    for (size_t k = 0; k < gain.size(); ++k) {
      const bool next = int64_t(k) % packet == 0;
      gain[k] = next || k == 0 ? float(std::exp(strength * double(random.normal()))) : gain[k - 1];
      level[k] = next || k == 0 ? float(shift * d * double(random.normal())) : level[k - 1];
    }
    for_each_trace(v, [&](int64_t, int64_t, std::span<float> trace) {
      for (size_t k = 0; k < trace.size(); ++k) trace[k] = trace[k] * gain[k] + level[k];
    });
  }
}

void add_gaps(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index) {
  const auto clear = [&](int64_t j, int64_t i, int64_t from, int64_t to, bool labels) {
    const auto trace = size_t((j * v.crosslines + i) * v.samples);
    for (auto k = size_t(std::max<int64_t>(0, from)); k < size_t(std::clamp<int64_t>(to, 0, v.samples)); ++k) {
      v.amplitude[trace + k] = 0;
      if (labels) v.label[trace + k] = 0, v.distance[trace + k] = kNoFault;
    }
  };
  const auto each = [&](const auto& f) {
    for (int64_t j = 0; j < v.inlines; ++j)
      for (int64_t i = 0; i < v.crosslines; ++i) f(j, i);
  };
  const auto X = double(v.crosslines), Y = double(v.inlines);
  RandomSequence random = random_of(o, index, SyntheticPart::gaps);
  if (chance(random, o.mute)) {
    // Above a line that falls towards a side of the map, as far traces are muted.
    const double angle = v.inlines == 1 ? kTurn / 2 * random.between(0, 1) : kTurn / 4 * random.between(0, 3),
                 deepest = random.uniform(0.1, 0.5) * double(v.samples), begins = random.uniform(0, 0.7),
                 steps = random.uniform(1, 4);
    each([&](int64_t j, int64_t i) {
      const double s = ((double(i) - X / 2) * std::cos(angle) / X + (double(j) - Y / 2) * std::sin(angle) / Y) + 0.5;
      const double depth = deepest * (s - begins) / (1 - begins);
      clear(j, i, 0, int64_t(std::floor(depth / steps) * steps), true);
    });
  }
  const bool dead = chance(random, o.dead);
  const double share = random.uniform(0.002, 0.03);
  const bool lines = chance(random, 0.3);
  if (dead)
    each([&](int64_t j, int64_t i) {
      if (random.uniform() < float(share)) clear(j, i, 0, v.samples, false);
    });
  if (dead && lines && v.inlines > 4) {  // a line that was not shot
    const int64_t line = random.between(0, int(v.inlines - 1));
    for (int64_t i = 0; i < v.crosslines; ++i) clear(line, i, 0, v.samples, false);
  }
  if (chance(random, o.holes))
    for (int count = random.between(1, 2); count > 0; --count) {
      const double x = random.uniform(0, X), y = random.uniform(0, Y), a = random.uniform(1, 0.1 * X + 2),
                   b = random.uniform(1, 0.1 * Y + 2);
      const bool full = chance(random, 0.5);
      const int64_t to = full ? v.samples : int64_t(random.uniform(0.1, 0.8) * double(v.samples));
      each([&](int64_t j, int64_t i) {
        if (std::abs(double(i) - x) < a && (v.inlines == 1 || std::abs(double(j) - y) < b)) clear(j, i, 0, to, true);
      });
    }
}

}  // namespace kern::data
