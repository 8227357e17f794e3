#include "data/seismic_augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "data/fault_sections.h"
#include "data/seismic_draw.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
constexpr float kNowhere = 1e6f;  // distance where no fault is near

// From places of a crop to places of the volume.
struct CropMap {
  double from_x = 0, from_y = 0, from_z = 0;  // of the crop's first voxel, without elastic
  double x_by_x = 1, x_by_y = 0, y_by_x = 0, y_by_y = 1, z_by_z = 1;
  bool whole = true;  // whole voxels to whole voxels
};

// The crop's middle is the anchor of a turn and a stretch. What does not fit into the volume is stretched until it does.
CropMap draw_map(const SyntheticVolume& v, const Block& size, const SeismicAugmentation* a, RandomSequence& random) {
  const double angle = random.uniform(0, 2 * std::numbers::pi), place_x = random.uniform(0, 1),
               place_y = random.uniform(0, 1), place_z = random.uniform(0, 1);
  const auto factor = [&] {
    const double power = random.uniform(-1, 1);
    return a && a->stretch > 1 ? std::pow(a->stretch, power) : 1.0;
  };
  double by_x = factor(), by_y = factor(), by_z = factor();
  const bool flip_x = random.uniform() < 0.5f && a && a->flip, flip_y = random.uniform() < 0.5f && a && a->flip;
  const bool turns = a && a->turn && v.inlines > 1;
  CropMap m;
  m.whole = !turns && by_x == 1 && by_y == 1 && by_z == 1;
  const double c = turns ? std::cos(angle) : 1, s = turns ? std::sin(angle) : 0;
  const double half_x = double(size.crosslines - 1) / 2, half_y = double(size.inlines - 1) / 2,
               half_z = double(size.samples - 1) / 2, room_x = double(v.crosslines - 1) / 2,
               room_y = double(v.inlines - 1) / 2, room_z = double(v.samples - 1) / 2;
  double reach_x = std::abs(c) * half_x / by_x + std::abs(s) * half_y / by_y,
         reach_y = std::abs(s) * half_x / by_x + std::abs(c) * half_y / by_y;
  const double over = std::max({1.0, reach_x / std::max(room_x, 1e-9), reach_y / std::max(room_y, 1e-9)});
  by_x *= over, by_y *= over, reach_x /= over, reach_y /= over;
  by_z = std::max(by_z, half_z / std::max(room_z, 1e-9));
  const double reach_z = half_z / by_z;
  double mid_x = reach_x + place_x * 2 * std::max(room_x - reach_x, 0.0),
         mid_y = reach_y + place_y * 2 * std::max(room_y - reach_y, 0.0),
         mid_z = reach_z + place_z * 2 * std::max(room_z - reach_z, 0.0);
  if (m.whole)
    mid_x = std::round(mid_x - half_x) + half_x, mid_y = std::round(mid_y - half_y) + half_y,
    mid_z = std::round(mid_z - half_z) + half_z;
  const double fx = flip_x ? -1 : 1, fy = flip_y ? -1 : 1;
  m.x_by_x = fx * c / by_x, m.x_by_y = -fy * s / by_y, m.y_by_x = fx * s / by_x, m.y_by_y = fy * c / by_y;
  m.z_by_z = 1 / by_z;
  m.from_x = mid_x - m.x_by_x * half_x - m.x_by_y * half_y;
  m.from_y = mid_y - m.y_by_x * half_x - m.y_by_y * half_y;
  m.from_z = mid_z - m.z_by_z * half_z;
  return m;
}

// Down a trace by a cubic, sideways straight; distances likewise, where there is a fault.
class VolumeReader {
 public:
  explicit VolumeReader(const SyntheticVolume& v) : v_(v) {}
  void read(float x, float y, float z, float& amplitude, float& distance) const {
    x = std::clamp(x, 0.0f, float(v_.crosslines - 1));
    y = std::clamp(y, 0.0f, float(v_.inlines - 1));
    z = std::clamp(z, 0.0f, float(v_.samples - 1));
    const auto i = int64_t(x), j = int64_t(y), k = int64_t(z), last = v_.samples - 1;
    const float fx = x - float(i), fy = y - float(j), t = z - float(k);
    const int64_t above = std::max<int64_t>(k - 1, 0), next = std::min(k + 1, last), below = std::min(k + 2, last);
    const float w0 = 0.5f * t * (-1 + t * (2 - t)), w1 = 1 + 0.5f * t * t * (3 * t - 5),
                w2 = 0.5f * t * (1 + t * (4 - 3 * t)), w3 = 0.5f * t * t * (t - 1);
    const int64_t right = i + 1 < v_.crosslines ? 1 : 0, back = j + 1 < v_.inlines ? v_.crosslines : 0;
    const int64_t trace = j * v_.crosslines + i;
    const int64_t traces[4] = {trace, trace + right, trace + back, trace + right + back};
    const float weights[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
    float sum = 0, near = 0, known = 0;
    for (int n = 0; n < 4; ++n) {
      if (weights[n] == 0) continue;
      const float* a = &v_.amplitude[size_t(traces[n] * v_.samples)];
      sum += weights[n] * (w0 * a[above] + w1 * a[k] + w2 * a[next] + w3 * a[below]);
      if (v_.distance.empty()) continue;
      const int8_t* d = &v_.distance[size_t(traces[n] * v_.samples)];
      if (d[k] != kNoFault) near += weights[n] * (1 - t) * float(d[k]), known += weights[n] * (1 - t);
      if (d[next] != kNoFault) near += weights[n] * t * float(d[next]), known += weights[n] * t;
    }
    amplitude = sum;
    distance = known > 0.5f ? near / (known * kDistanceUnits) : kNowhere;
  }
  // Of the nearest voxel.
  int8_t label(float x, float y, float z) const {
    const auto nearest = [](float at, int64_t n) { return std::clamp<int64_t>(std::lround(at), 0, n - 1); };
    return v_.label[size_t((nearest(y, v_.inlines) * v_.crosslines + nearest(x, v_.crosslines)) * v_.samples +
                           nearest(z, v_.samples))];
  }

 private:
  const SyntheticVolume& v_;
};

// Displacements of a column of voxels: drawn on a coarse grid, straight between its nodes down the column.
class Elastic {
 public:
  Elastic(double amount, RandomSequence& random)
      : amount_(float(amount * random.uniform(0, 1))), cell_(float(1 / random.uniform(12, 40))), field_(random) {}
  bool none() const { return amount_ == 0; }
  void column(int64_t i, int64_t x, int64_t n, std::vector<std::array<float, 3>>& out) const {
    out.resize(size_t(n));
    const auto node = [&](int64_t k) {
      const float a = float(i) * cell_, b = float(x) * cell_, c = float(k) * cell_;
      return std::array{amount_ * field_.at(a, b, c), amount_ * field_.at(a + 10.5f, b, c),
                        amount_ * field_.at(a, b + 10.5f, c)};
    };
    std::array<float, 3> here = node(0);
    for (int64_t first = 0; first < n; first += kNodes) {
      const std::array<float, 3> there = node(first + kNodes);
      for (int64_t k = first; k < std::min(n, first + kNodes); ++k)
        for (size_t axis = 0; axis < 3; ++axis)
          out[size_t(k)][axis] = here[axis] + float(k - first) / kNodes * (there[axis] - here[axis]);
      here = there;
    }
  }

 private:
  static constexpr int64_t kNodes = 8;
  float amount_, cell_;
  Turbulence field_;
};

// 1 within half the thickness of a fault, measured along the axis in which its distance changes most.
void label_by_distance(const std::vector<float>& distance, double thickness, bool across_lines, SeismicCrop& crop) {
  const Block& b = crop.size;
  const auto half = float(thickness / 2);
  const auto slope = [&](size_t at, bool before, bool after, size_t step) {
    const float here = distance[at];
    float most = 0;
    if (before && distance[at - step] != kNowhere) most = std::abs(here - distance[at - step]);
    if (after && distance[at + step] != kNowhere) most = std::max(most, std::abs(distance[at + step] - here));
    return most;
  };
  for (int64_t i = 0; i < b.inlines; ++i)
    for (int64_t x = 0; x < b.crosslines; ++x)
      for (int64_t z = 0; z < b.samples; ++z) {
        const auto at = size_t(b.index(i, x, z));
        const float d = distance[at];
        if (std::abs(d) > 3) continue;
        float steepest =
            std::max(slope(at, x > 0, x + 1 < b.crosslines, size_t(b.samples)), slope(at, z > 0, z + 1 < b.samples, 1));
        if (across_lines)
          steepest = std::max(steepest, slope(at, i > 0, i + 1 < b.inlines, size_t(b.crosslines * b.samples)));
        const float voxels = d / std::clamp(steepest, 0.25f, 3.0f);
        crop.label[at] = voxels > -half && voxels <= half;
      }
}

void copy_crop(const SyntheticVolume& v, const CropMap& m, std::vector<float>& distance, SeismicCrop& crop) {
  const Block& b = crop.size;
  for (int64_t i = 0; i < b.inlines; ++i)
    for (int64_t x = 0; x < b.crosslines; ++x) {
      const auto column = int64_t(std::lround(m.from_x + m.x_by_x * double(x))),
                 line = int64_t(std::lround(m.from_y + m.y_by_y * double(i)));
      const auto from = size_t((line * v.crosslines + column) * v.samples + std::lround(m.from_z)),
                 to = size_t(b.index(i, x, 0));
      for (size_t k = 0; k < size_t(b.samples); ++k) {
        crop.amplitude[to + k] = v.amplitude[from + k];
        crop.label[to + k] = v.label[from + k];
        if (v.distance.empty()) continue;
        const int8_t d = v.distance[from + k];
        distance[to + k] = d == kNoFault ? kNowhere : float(d) / kDistanceUnits;
      }
    }
}

void resample_crop(const SyntheticVolume& v, const CropMap& m, const Elastic& elastic, std::vector<float>& distance,
                   SeismicCrop& crop) {
  const Block& b = crop.size;
  const VolumeReader reader(v);
  std::vector<std::array<float, 3>> bend(size_t(b.samples), {0, 0, 0});
  for (int64_t i = 0; i < b.inlines; ++i)
    for (int64_t x = 0; x < b.crosslines; ++x) {
      if (!elastic.none()) elastic.column(i, x, b.samples, bend);
      const auto at_x = float(m.from_x + m.x_by_x * double(x) + m.x_by_y * double(i)),
                 at_y = float(m.from_y + m.y_by_x * double(x) + m.y_by_y * double(i));
      for (int64_t k = 0; k < b.samples; ++k) {
        const auto& e = bend[size_t(k)];
        const auto to = size_t(b.index(i, x, k));
        const float x_there = at_x + e[0], y_there = at_y + e[1],
                    z_there = float(m.from_z + m.z_by_z * double(k)) + e[2];
        reader.read(x_there, y_there, z_there, crop.amplitude[to], distance[to]);
        if (v.distance.empty()) crop.label[to] = reader.label(x_there, y_there, z_there);
      }
    }
}

double power_of(const std::vector<float>& v) {
  double square = 0;
  for (const float a : v) square += double(a) * double(a);
  return square / double(std::max<size_t>(v.size(), 1));
}
void restore_power(std::vector<float>& v, double power) {
  const double now = power_of(v);
  if (now <= 0) return;
  const auto factor = float(std::sqrt(power / now));
  for (float& a : v) a *= factor;
}

// A short symmetric filter down the traces, of a smooth random spectrum.
void shape_spectrum(SeismicCrop& crop, RandomSequence& random) {
  constexpr int kHalf = 7, kFrequencies = 64;
  double bend[3];
  for (int j = 0; j < 3; ++j) bend[j] = random.normal(0, 0.6 / (1 + j));
  double taps[kHalf + 1] = {};
  for (int f = 0; f < kFrequencies; ++f) {
    const double w = std::numbers::pi * (f + 0.5) / kFrequencies;
    const double gain = std::exp(bend[0] * std::cos(w) + bend[1] * std::cos(2 * w) + bend[2] * std::cos(3 * w));
    for (int k = 0; k <= kHalf; ++k) taps[k] += gain * std::cos(w * k) / kFrequencies;
  }
  const double power = power_of(crop.amplitude);
  const int64_t n = crop.size.samples;
  std::vector<float> padded(size_t(n + 2 * kHalf));
  for (size_t trace = 0; trace < crop.amplitude.size(); trace += size_t(n)) {
    float* a = &crop.amplitude[trace];
    for (int64_t k = -kHalf; k < n + kHalf; ++k) padded[size_t(k + kHalf)] = a[std::clamp<int64_t>(k, 0, n - 1)];
    for (int64_t k = 0; k < n; ++k) {
      const float* p = &padded[size_t(k)];
      float sum = float(taps[0]) * p[kHalf];
      for (int t = 1; t <= kHalf; ++t) sum += float(taps[t]) * (p[kHalf - t] + p[kHalf + t]);
      a[k] = a[k] == 0 ? 0 : sum;  // where there are no data there still are none
    }
  }
  restore_power(crop.amplitude, power);
}

// Smoothed from trace to trace, along the slope that the reflections have there.
void blur_along_layers(SeismicCrop& crop, RandomSequence& random) {
  const Block& b = crop.size;
  const auto share = float(random.uniform(0.15, 0.3));  // of either neighbour
  constexpr int64_t kReach = 6;                         // samples over which a slope is measured
  const int64_t n = b.samples;
  const auto smooth = [&](int64_t traces, int64_t step, const auto& first_of) {
    if (traces < 3) return;
    const std::vector<float> from = crop.amplitude;
    std::vector<double> up(size_t(n) + 1), across(size_t(n) + 1);
    const auto at = [&](int64_t trace, float z) {
      z = std::clamp(z, 0.0f, float(n - 1));
      const auto k = std::min(int64_t(z), std::max<int64_t>(n - 2, 0));
      const float* a = &from[size_t(trace)];
      return n == 1 ? a[0] : a[k] + (z - float(k)) * (a[k + 1] - a[k]);
    };
    for (int64_t line = 0; line < b.inlines * b.crosslines / traces; ++line)
      for (int64_t t = 1; t + 1 < traces; ++t) {
        const int64_t here = first_of(line) + t * step;
        for (int64_t k = 0; k < n; ++k) {
          const float down = from[size_t(here + std::min(k + 1, n - 1))] -
                             from[size_t(here + std::max<int64_t>(k - 1, 0))],
                      side = from[size_t(here + step + k)] - from[size_t(here - step + k)];
          up[size_t(k) + 1] = up[size_t(k)] + double(down) * double(down);
          across[size_t(k) + 1] = across[size_t(k)] - double(down) * double(side);
        }
        for (int64_t k = 0; k < n; ++k) {
          const auto low = size_t(std::max<int64_t>(0, k - kReach)), high = size_t(std::min(n, k + kReach + 1));
          const double all = up[high] - up[low];
          const auto slope = float(all > 0 ? std::clamp((across[high] - across[low]) / all, -1.5, 1.5) : 0);
          float& a = crop.amplitude[size_t(here + k)];
          a += share * (at(here - step, float(k) - slope) + at(here + step, float(k) + slope) - 2 * a);
        }
      }
  };
  smooth(b.crosslines, n, [&](int64_t line) { return line * b.crosslines * n; });
  smooth(b.inlines, b.crosslines * n, [&](int64_t line) { return line * n; });
}

}  // namespace

void change_amplitudes(SeismicCrop& crop, const SeismicAugmentation& a, RandomSequence& random) {
  const Block& b = crop.size;
  const double loud = std::exp(random.uniform(-a.loudness, a.loudness));
  if (chance(random, a.blur)) blur_along_layers(crop, random);
  if (chance(random, a.spectrum)) shape_spectrum(crop, random);
  if (chance(random, a.gamma)) {
    const double power = power_of(crop.amplitude), gamma = std::pow(1.6, random.uniform(-1, 1));
    for (float& v : crop.amplitude) v = std::copysign(std::pow(std::abs(v), float(gamma)), v);
    restore_power(crop.amplitude, power);
  }
  if (chance(random, a.clip)) {
    const auto most = float(random.uniform(0.8, 2.5));
    for (float& v : crop.amplitude) v = std::clamp(v, -most, most);
  }
  if (chance(random, a.coarse)) {
    const auto step = float(random.uniform(0.02, 0.25));
    for (float& v : crop.amplitude) v = step * std::round(v / step);
  }
  const double sign = a.reverse && random.uniform() < 0.5f ? -1 : 1;
  for (float& v : crop.amplitude) v = std::clamp(float(sign * loud) * v, -kLoudest, kLoudest);
  if (chance(random, a.cutout)) {
    const auto part = [&](int64_t n, int64_t& from, int64_t& to) {
      from = random.between(0, int(n - 1));
      to = std::min(n, from + random.between(1, int(std::max<int64_t>(1, n / 4))));
    };
    int64_t i0, i1, x0, x1, z0, z1;
    part(b.inlines, i0, i1), part(b.crosslines, x0, x1), part(b.samples, z0, z1);
    for (int64_t i = i0; i < i1; ++i)
      for (int64_t x = x0; x < x1; ++x) {
        std::fill_n(crop.amplitude.begin() + b.index(i, x, z0), z1 - z0, 0.0f);
        std::fill_n(crop.label.begin() + b.index(i, x, z0), z1 - z0, 0);
      }
  }
}

void check_augmentation(const SeismicAugmentation& a) {
  check(a.stretch >= 1 && a.stretch <= 4, "stretch is ", a.stretch, ", expected a factor, 1 to 4");
  check(a.elastic >= 0 && a.elastic <= 100, "elastic is ", a.elastic, ", expected 0 to 100 voxels");
  check(a.loudness >= 0 && a.loudness <= 5, "loudness is ", a.loudness, ", expected 0 to 5");
  const auto share = [](const char* name, double v) {
    check(v >= 0 && v <= 1, name, " is ", v, ", expected a chance, 0 to 1");
  };
  share("spectrum", a.spectrum), share("gamma", a.gamma), share("clip", a.clip), share("coarse", a.coarse),
      share("cutout", a.cutout);
  share("blur", a.blur);
}

SeismicCrop cut_crop(const SyntheticVolume& v, const Block& size, bool across_lines, const SeismicAugmentation* a,
                     RandomSequence& random) {
  internal_check(size.inlines <= v.inlines && size.crosslines <= v.crosslines && size.samples <= v.samples,
                 "a crop larger than its volume");
  SeismicCrop crop{size, std::vector<float>(size_t(size.size())), std::vector<int32_t>(size_t(size.size()), 0)};
  std::vector<float> distance(size_t(size.size()), kNowhere);
  const CropMap map = draw_map(v, size, a, random);
  const bool by_distance = !v.distance.empty(), labelled_anew = by_distance && !across_lines && v.inlines > 1;
  if (map.whole && (!a || a->elastic == 0)) {
    copy_crop(v, map, distance, crop);
    if (labelled_anew) std::fill(crop.label.begin(), crop.label.end(), 0);
    if (labelled_anew) label_by_distance(distance, v.thickness, across_lines, crop);
  } else {
    const Elastic elastic(a ? a->elastic : 0, random);
    resample_crop(v, map, elastic, distance, crop);
    if (by_distance) label_by_distance(distance, v.thickness, across_lines, crop);
  }
  if (a) change_amplitudes(crop, *a, random);
  return crop;
}

}  // namespace kern::data
