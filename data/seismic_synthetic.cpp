#include "data/seismic_synthetic.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "data/seismic_bodies.h"
#include "data/seismic_draw.h"
#include "data/seismic_faults.h"
#include "data/seismic_layers.h"
#include "data/seismic_noise.h"
#include "data/seismic_wavelet.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr double kDeepest = 1e5;  // samples of layers above and below a volume, at most

double most(const Range& r) { return std::max(std::abs(r.low), std::abs(r.high)); }

void check_range(std::string_view name, const Range& r, double low, double high) {
  check(r.low >= low && r.low <= r.high && r.high <= high, name, " goes from ", r.low, " to ", r.high,
        "; expected two numbers in ascending order within ", low, " and ", high);
}
void check_chance(std::string_view name, double v) {
  check(v >= 0 && v <= 1, name, " is ", v, ", expected a chance, 0 to 1");
}

std::vector<FaultSurface> surfaces_of(const std::vector<SyntheticFault>& faults, bool section, double least_throw) {
  std::vector<FaultSurface> surfaces;
  for (const SyntheticFault& f : faults) surfaces.emplace_back(f, section, least_throw);
  return surfaces;
}

// Through the faults [first, last), the youngest first.
void follow_back(const std::vector<FaultSurface>& surfaces, size_t first, size_t last, Rock& rock) {
  for (size_t i = last; i-- > first;)
    surfaces[i].follow(rock.x.data(), rock.y.data(), rock.z.data(), rock.distance.data(), rock.n);
}

// The rock of a trace as it is now: n places from z = top down.
void place_trace(Rock& rock, int64_t x, int64_t y, int64_t top) {
  for (int64_t k = 0; k < rock.n; ++k) rock.z[size_t(k)] = float(top + k);
  std::fill(rock.x.begin(), rock.x.end(), float(x));
  std::fill(rock.y.begin(), rock.y.end(), float(y));
  std::fill(rock.distance.begin(), rock.distance.end(), FaultSurface::kFar);
}

// Labels and distances of a trace from those of its places, the first `skip` of which lie above it.
void mark_faults(SyntheticVolume& v, size_t trace, const Rock& rock, int64_t skip) {
  const auto half = float(v.thickness / 2);
  for (int64_t k = 0; k < v.samples; ++k) {
    const float d = rock.distance[size_t(skip + k)], units = d * kDistanceUnits;
    v.label[trace + size_t(k)] = d > -half && d <= half;
    if (std::abs(units) < kNoFault - 0.5f) v.distance[trace + size_t(k)] = int8_t(std::lround(units));
  }
}

// All that a volume's traces are made of.
struct Earth {
  std::vector<FaultSurface> surfaces;
  std::optional<Unconformity> erosion;
  size_t old_faults = 0;  // older than the erosion, the first ones
  Folds folds;
  Bodies bodies;
  Layers layers;
  std::optional<Layers> young_layers;
  Facies facies;
  float damage = 0, damage_width = 1;

  // Each place's history undone: where and as what it was laid down.
  void undo(Rock& rock, Rock& kept, double x, double y, double top) const {
    std::fill(rock.kind.begin(), rock.kind.end(), uint8_t(0));
    std::fill(rock.gain.begin(), rock.gain.end(), 1.0f);
    std::fill(rock.edge.begin(), rock.edge.end(), FaultSurface::kFar);
    follow_back(surfaces, old_faults, surfaces.size(), rock);
    if (!erosion) {
      follow_back(surfaces, 0, old_faults, rock);
      folds.undo(rock.x.data(), rock.y.data(), rock.z.data(), rock.depth.data(), rock.n);
    } else {
      kept.x = rock.x, kept.y = rock.y, kept.z = rock.z, kept.distance = rock.distance;
      follow_back(surfaces, 0, old_faults, rock);
      folds.undo(rock.x.data(), rock.y.data(), rock.z.data(), rock.depth.data(), rock.n);
      for (size_t k = 0; k < size_t(rock.n); ++k) {
        const float above = erosion->at(kept.x[k], kept.y[k]) - kept.z[k];
        rock.edge[k] = above;
        if (above <= 0) continue;
        rock.x[k] = kept.x[k], rock.y[k] = kept.y[k], rock.z[k] = kept.z[k], rock.distance[k] = kept.distance[k];
        rock.depth[k] = erosion->young_depth(rock.x[k], rock.y[k], rock.z[k]);
        rock.kind[k] = Unconformity::kYoung;
      }
    }
    bodies.deposit(rock);
    bodies.intrude(rock, x, y, top);
    if (damage == 0) return;
    for (size_t k = 0; k < size_t(rock.n); ++k)
      rock.gain[k] *= 1 - damage * std::max(0.0f, 1 - std::abs(rock.distance[k]) / damage_width);
  }

  // What it reflects: its layers, and where it is suddenly another body's, that.
  void reflect(const Rock& rock, float x, float y, float top, std::vector<float>& out,
               std::vector<float>& young) const {
    const float other = facies.at(x, y);
    layers.reflectivity(rock.depth.data(), other, out.data(), rock.n);
    if (young_layers) {
      young_layers->reflectivity(rock.depth.data(), other, young.data(), rock.n);
      for (size_t k = 0; k < size_t(rock.n); ++k)
        if (rock.kind[k] == Unconformity::kYoung) out[k] = young[k];
    }
    for (size_t k = 0; k < size_t(rock.n); ++k) out[k] *= rock.gain[k];
    const auto impedance = [&](size_t k) {
      const bool is_young = young_layers && rock.kind[k] == Unconformity::kYoung;
      return (is_young ? *young_layers : layers).impedance(rock.depth[k], other) + bodies.contrast(rock.kind[k]);
    };
    for (size_t k = 1; k < size_t(rock.n); ++k) {
      if (rock.kind[k] == rock.kind[k - 1]) continue;
      // Where between the two samples the edge lies, by the edge of the body that is there on one side only.
      const bool into = rock.kind[k] > rock.kind[k - 1];
      const float in = std::abs(rock.edge[into ? k : k - 1]), outside = std::abs(rock.edge[into ? k - 1 : k]);
      const float share = into ? outside / (in + outside + 1e-6f) : in / (in + outside + 1e-6f);
      const float seen = bodies.seen(std::max(rock.kind[k], rock.kind[k - 1]), x, y, top + float(k)),
                  step = 0.7f * seen * (impedance(k) - impedance(k - 1));
      const float f = std::clamp(share, 0.0f, 1.0f);
      out[k - 1] += (1 - f) * step;
      out[k] += f * step;
    }
  }
};

}  // namespace

void check_options(const SyntheticSeismic& o) {
  const auto whole = [](const char* name, int64_t v, int64_t high) {
    check(v >= 1 && v <= high, name, " is ", v, ", expected 1 to ", high);
  };
  whole("inlines", o.inlines, 4096), whole("crosslines", o.crosslines, 65536), whole("samples", o.samples, 65535);
  check(o.inlines * o.crosslines <= (int64_t(1) << 31) / o.samples, "a synthetic volume of ", o.inlines, " x ",
        o.crosslines, " x ", o.samples, " is too large: at most 2147483648 samples are made at once");
  check(o.interval >= 1 && o.interval <= 1e6, "interval is ", o.interval, " microseconds, expected 1 to 1000000");
  const double nyquist = 5e5 / o.interval;
  check_range("bin", o.bin, 0.01, 100);
  check_range("layer", o.layer, 0.25, 1e4);
  check_range("facies", o.facies, 0, 1);
  check_range("folds", o.folds, 0, 100);
  check_range("fold_height", o.fold_height, -1e4, 1e4);
  check_range("fold_width", o.fold_width, 1, 1e5);
  check_range("tilt", o.tilt, -10, 10);
  check_range("faults", o.faults, 0, 100);
  check_range("throw", o.throw_, 0, 1e3);
  check_range("dip", o.dip, 10, 90);
  check_range("strike", o.strike, -90, 90);
  check_range("length", o.length, 0.05, 100);
  check_range("aspect", o.aspect, 0.1, 100);
  check_range("drag", o.drag, 0, 1);
  check_range("damage", o.damage, 0, 1);
  check_range("damage_width", o.damage_width, 0.1, 100);
  const auto hertz = [&](const char* name, const Range& r) {
    if (r.low != 0 || r.high != 0) check_range(name, r, nyquist / 1000, nyquist);
  };
  check_range("period", o.period, 2, 1000);
  hertz("frequency", o.frequency);
  check_range("phase", o.phase, -180, 180);
  check_range("absorption", o.absorption, 0, 10);
  check_range("smear", o.smear, 0, 10);
  check_range("noise", o.noise, 0, 100);
  hertz("noise_frequency", o.noise_frequency);
  check_range("noise_width", o.noise_width, 0, 1000);
  check_range("label", o.label, 1, 100);
  check(o.reverse >= 0 && o.reverse <= 1, "reverse is ", o.reverse, ", expected a share, 0 to 1");
  check_chance("parallel", o.parallel);
  check_chance("conjugate", o.conjugate);
  check_chance("en_echelon", o.en_echelon);
  check(o.parallel + o.conjugate + o.en_echelon <= 1, "parallel, conjugate and en_echelon are together ",
        o.parallel + o.conjugate + o.en_echelon, ", expected at most 1: a fault is at most one of them");
  check_chance("linear", o.linear);
  check_chance("listric", o.listric);
  check_chance("curved", o.curved);
  check_chance("unconformity", o.unconformity);
  check_chance("onlap", o.onlap);
  check_chance("channels", o.channels);
  check_chance("chaos", o.chaos);
  check_chance("bright", o.bright);
  check_chance("salt", o.salt);
  check_chance("chimney", o.chimney);
  check_chance("ormsby", o.ormsby);
  check_chance("noise_dip", o.noise_dip);
  check_chance("footprint", o.footprint);
  check_chance("smiles", o.smiles);
  check_chance("ground_roll", o.ground_roll);
  check_chance("decay", o.decay);
  check_chance("seam", o.seam);
  check_chance("agc", o.agc);
  check_chance("stripes", o.stripes);
  check_chance("mute", o.mute);
  check_chance("dead", o.dead);
  check_chance("holes", o.holes);
  check(o.least_throw >= 0, "least_throw is ", o.least_throw, ", expected 0 or more");
  check(o.least_period >= 0, "least_period is ", o.least_period, ", expected 0 or more");
}

SyntheticVolume synthetic_seismic(const SyntheticSeismic& o, int64_t index) {
  check_options(o);
  SyntheticVolume out{.inlines = o.inlines, .crosslines = o.crosslines, .samples = o.samples};
  const auto sequence = [&](SyntheticPart part) { return random_of(o, index, part); };
  RandomSequence wavelet_random = sequence(SyntheticPart::wavelet), faults_random = sequence(SyntheticPart::faults),
                 folds_random = sequence(SyntheticPart::folds), layers_random = sequence(SyntheticPart::layers),
                 facies_random = sequence(SyntheticPart::facies), young_random = sequence(SyntheticPart::young),
                 damage_random = sequence(SyntheticPart::damage);
  out.thickness = draw(wavelet_random, o.label);
  Wavelets wavelets(o, wavelet_random);
  out.frequency = 1e6 / (wavelets.period() * o.interval);
  const int64_t half = wavelets.half(), n = o.samples;

  out.faults = draw_faults(o, o.inlines, o.crosslines, o.samples, faults_random);
  std::vector<FaultSurface> surfaces =
      surfaces_of(out.faults, o.inlines == 1, std::max(o.least_throw, o.least_period * wavelets.period()));
  double carried = 0;  // how far faults may carry, all together; beyond its tables all is as at their ends
  for (const FaultSurface& s : surfaces) carried += 0.5 * s.slip();
  carried = std::min(carried, 256 + double(o.crosslines + o.inlines));
  std::optional<Unconformity> erosion = Unconformity::of(o, index, carried + 1);
  const auto old_faults = size_t(erosion ? erosion->old_faults(int64_t(out.faults.size())) : 0);
  for (size_t i = 0; i < old_faults; ++i) out.faults[i].old = true;
  Bodies bodies(o, index);
  Folds folds(o, folds_random, carried + 1);
  bodies.lift(folds);
  const double deep = carried + double(half) + bodies.reach() + 1,
               reach = deep + 1.5 * o.folds.high * most(o.fold_height) +
                       most(o.tilt) * (double(o.crosslines + o.inlines) + 2 * carried);
  std::optional<Layers> young;
  if (erosion) young.emplace(o, young_random, std::min(deep + erosion->reach(), kDeepest));
  const Earth earth{.surfaces = std::move(surfaces),
                    .erosion = std::move(erosion),
                    .old_faults = old_faults,
                    .folds = std::move(folds),
                    .bodies = std::move(bodies),
                    .layers = Layers(o, layers_random, std::min(reach, kDeepest)),
                    .young_layers = std::move(young),
                    .facies = Facies(o, facies_random),
                    .damage = float(draw(damage_random, o.damage)),
                    .damage_width = float(draw(damage_random, o.damage_width))};

  out.amplitude.resize(size_t(o.inlines * o.crosslines * n));
  out.label.assign(out.amplitude.size(), 0);
  out.distance.assign(out.amplitude.size(), kNoFault);
  Rock rock(n + 2 * half), kept(n + 2 * half);
  std::vector<float> reflectivity(size_t(rock.n)), scratch(size_t(rock.n));
  for (int64_t j = 0; j < o.inlines; ++j)
    for (int64_t i = 0; i < o.crosslines; ++i) {
      const auto trace = size_t((j * o.crosslines + i) * n);
      place_trace(rock, i, j, -half);
      earth.undo(rock, kept, double(i), double(j), -double(half));
      earth.reflect(rock, float(i), float(j), -float(half), reflectivity, scratch);
      wavelets.convolve(reflectivity.data(), &out.amplitude[trace], n);
      mark_faults(out, trace, rock, half);
    }

  smear(out, o, index);
  add_decay(out, o, index);
  add_noise(out, o, index, wavelets.period(), [&](float x, float y) { return earth.folds.drop(x, y); });
  add_coherent_noise(out, o, index, wavelets.period());
  add_gain(out, o, index);
  standardise(out.amplitude);
  add_gaps(out, o, index);
  return out;
}

namespace {
// Catmull-Rom between in[1] and in[2].
float cubic(float a, float b, float c, float d, float t) {
  return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}
// What lies outside [0, n - 1] seen in a mirror at its end.
float mirrored(float at, int64_t n) {
  const auto last = float(n - 1);
  if (at < 0) at = -at;
  if (at > last) at = 2 * last - at;
  return std::clamp(at, 0.0f, last);
}
}  // namespace

void cut_faults(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index) {
  check_options(o);
  internal_check(int64_t(v.amplitude.size()) == v.inlines * v.crosslines * v.samples && !v.amplitude.empty(),
                 "a volume of ", v.amplitude.size(), " samples");
  RandomSequence wavelet_random = random_of(o, index, SyntheticPart::wavelet),
                 faults_random = random_of(o, index, SyntheticPart::faults);
  v.thickness = draw(wavelet_random, o.label);
  v.faults = draw_faults(o, v.inlines, v.crosslines, v.samples, faults_random);
  const std::vector<FaultSurface> surfaces = surfaces_of(v.faults, v.inlines == 1, o.least_throw);
  const std::vector<float> from = v.amplitude;
  v.label.assign(from.size(), 0);
  v.distance.assign(from.size(), kNoFault);
  const int64_t n = v.samples;
  // Down a trace by a cubic through four samples, sideways between the neighbouring traces.
  const auto on_trace = [&](int64_t i, int64_t j, float z) {
    const float base = std::floor(z);
    const float* trace = &from[size_t((j * v.crosslines + i) * n)];
    const auto sample = [&](int64_t k) { return trace[std::clamp<int64_t>(k, 0, n - 1)]; };
    const auto k = int64_t(base);
    return cubic(sample(k - 1), sample(k), sample(k + 1), sample(k + 2), z - base);
  };
  Rock rock(n);
  for (int64_t j = 0; j < v.inlines; ++j)
    for (int64_t i = 0; i < v.crosslines; ++i) {
      const auto trace = size_t((j * v.crosslines + i) * n);
      place_trace(rock, i, j, 0);
      follow_back(surfaces, 0, surfaces.size(), rock);
      mark_faults(v, trace, rock, 0);
      for (int64_t k = 0; k < n; ++k) {
        const auto at = size_t(k);
        const float x = mirrored(rock.x[at], v.crosslines), y = mirrored(rock.y[at], v.inlines),
                    z = mirrored(rock.z[at], n);
        const auto x0 = int64_t(x), y0 = int64_t(y);
        const int64_t x1 = std::min(x0 + 1, v.crosslines - 1), y1 = std::min(y0 + 1, v.inlines - 1);
        const float fx = x - float(x0), fy = y - float(y0);
        const auto row = [&](int64_t line) {
          const float a = on_trace(x0, line, z);
          return fx > 0 ? a + fx * (on_trace(x1, line, z) - a) : a;
        };
        const float a = row(y0);
        v.amplitude[trace + at] = fy > 0 ? a + fy * (row(y1) - a) : a;
      }
    }
  // The wavelet was there before the faults, which cut it off: beside them the image is blurred, as migration does.
  SyntheticVolume blurred = v;
  smear(blurred, o, index);
  for (size_t i = 0; i < v.amplitude.size(); ++i) {
    if (v.distance[i] == kNoFault) continue;
    const float near = std::clamp(2 - 0.5f * std::abs(float(v.distance[i])) / kDistanceUnits, 0.0f, 1.0f);
    v.amplitude[i] += near * (blurred.amplitude[i] - v.amplitude[i]);
  }
}

}  // namespace kern::data
