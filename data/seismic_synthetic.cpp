#include "data/seismic_synthetic.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kFine = 8;  // steps of a layer's table per sample

// Sequences of one volume: what is drawn for one thing never shifts another.
enum class Part : uint32_t { layers, folds, faults, wavelet, noise };
RandomSequence random_of(const SyntheticSeismic& o, int64_t index, Part part) {
  return RandomSequence(o.seed, RandomStream::synthesize, uint32_t(index),
                        uint32_t(part) << 16 | uint32_t(index >> 32));
}
double draw(RandomSequence& random, const Range& r) { return random.uniform(r.low, r.high); }
int draw_count(RandomSequence& random, const Range& r) { return random.between(int(r.low), int(r.high)); }

struct Point {
  double x, y, z;
};

// A fault made ready for following points back.
struct Plane {
  double cx, cy, cz;
  double hx, hy;  // horizontal direction to which it falls, of length 1
  double sin_dip, cos_dip;
  double half_slip;  // signed
  double down, along, reach;
  double across;      // by how much w grows per voxel along the axis that is most across the plane
  double label_slip;  // half slip from which it is labelled

  Plane(const SyntheticFault& f, bool section, double least_throw)
      : cx(f.x),
        cy(f.y),
        cz(f.z),
        hx(std::cos(f.strike)),
        hy(std::sin(f.strike)),
        sin_dip(std::sin(f.dip)),
        cos_dip(std::cos(f.dip)),
        half_slip(f.throw_ / (2 * std::sin(f.dip))),
        down(f.down),
        along(f.along),
        reach(f.reach) {
    if (cos_dip < 0) half_slip = -half_slip;  // the rock above the plane is where w < 0
    across = std::max(std::abs(sin_dip * hx), std::abs(cos_dip));
    if (!section) across = std::max(across, std::abs(sin_dip * hy));
    label_slip = least_throw / (2 * std::abs(sin_dip));
  }

  // Where the rock at p was before this fault moved; true when p is on the plane, within half a label of it.
  bool follow(Point& p, double half_label) const {
    const double dx = p.x - cx, dy = p.y - cy, dz = p.z - cz;
    const double h = dx * hx + dy * hy;
    const double w = sin_dip * h - cos_dip * dz;  // distance from the plane
    const double away = 1 - std::abs(w) / reach;
    if (away <= 0) return false;
    const double v = (cos_dip * h + sin_dip * dz) / down, u = (dy * hx - dx * hy) / along;
    const double inside = 1 - u * u - v * v;
    if (inside <= 0) return false;
    const double slip = half_slip * inside * inside;
    const double move = (w > 0 ? slip : -slip) * away * away;
    p.x -= move * cos_dip * hx;
    p.y -= move * cos_dip * hy;
    p.z -= move * sin_dip;
    const double voxels = w / across;
    return voxels > -half_label && voxels <= half_label && std::abs(slip) >= label_slip;
  }
};

std::vector<SyntheticFault> draw_faults(const SyntheticSeismic& o, int64_t inlines, int64_t crosslines, int64_t samples,
                                        RandomSequence& random) {
  std::vector<SyntheticFault> faults(size_t(draw_count(random, o.faults)));
  for (size_t i = 0; i < faults.size(); ++i) {
    SyntheticFault& f = faults[i];
    f.x = random.uniform(0, double(crosslines));
    f.y = inlines > 1 ? random.uniform(0, double(inlines)) : 0;
    f.z = random.uniform(0.1, 0.9) * double(samples);
    f.dip = draw(random, o.dip) * kPi / 180;
    f.strike = draw(random, o.strike) * kPi / 180;
    if (random.uniform() < 0.5f) f.dip = kPi - f.dip;
    if (i > 0 && random.uniform() < float(o.parallel)) {
      if ((f.dip > kPi / 2) != (faults[i - 1].dip > kPi / 2)) f.dip = kPi - f.dip;
      f.strike = std::clamp(faults[i - 1].strike + 0.15 * (f.strike - faults[i - 1].strike), -kPi / 2, kPi / 2);
    }
    f.throw_ = draw(random, o.throw_) * (random.uniform() < float(o.reverse) ? -1 : 1);
    // Rock is bent, not torn, outside the plane: the ellipse and the reach are not small beside the slip.
    const double slip = std::abs(f.throw_) / std::sin(f.dip);
    f.down = std::max(draw(random, o.length) * double(samples), 2.5 * slip);
    f.along = f.down * draw(random, o.aspect);
    f.reach = std::max(f.down * random.uniform(0.5, 1.2), 2.5 * slip);
  }
  return faults;
}

std::vector<Plane> planes_of(const std::vector<SyntheticFault>& faults, bool section, double least_throw) {
  std::vector<Plane> planes;
  for (const SyntheticFault& f : faults) planes.emplace_back(f, section, least_throw);
  return planes;
}

// Through all faults, the youngest first.
bool follow_back(const std::vector<Plane>& planes, Point& p, double half_label) {
  bool on_fault = false;
  for (size_t i = planes.size(); i-- > 0;) on_fault |= planes[i].follow(p, half_label);
  return on_fault;
}

// The height of the folds over the map, in a table wider than the volume by as far as faults may carry sideways.
class Folds {
 public:
  Folds(const SyntheticSeismic& o, RandomSequence& random, double margin)
      : flat_(o.inlines == 1),
        margin_(margin),
        width_(int64_t(double(o.crosslines) + 2 * margin) + 2),
        rows_(flat_ ? 1 : int64_t(double(o.inlines) + 2 * margin) + 2),
        height_(size_t(width_ * rows_), 0.0f),
        depth_(double(o.samples)) {
    tilt_x_ = draw(random, o.tilt);
    tilt_y_ = draw(random, o.tilt);
    mid_x_ = double(o.crosslines) / 2;
    mid_y_ = double(o.inlines) / 2;
    const int count = draw_count(random, o.folds);
    for (int k = 0; k < count; ++k) {
      const double height = draw(random, o.fold_height), cx = random.uniform(0, double(o.crosslines)),
                   cy = flat_ ? 0 : random.uniform(0, double(o.inlines)), s = draw(random, o.fold_width);
      // A Gaussian of two coordinates is the product of two of one.
      std::vector<float> along(static_cast<size_t>(width_));
      for (int64_t i = 0; i < width_; ++i) along[size_t(i)] = bell((double(i) - margin_ - cx) / s);
      for (int64_t j = 0; j < rows_; ++j) {
        const float row = float(height) * (flat_ ? 1.0f : bell((double(j) - margin_ - cy) / s));
        for (int64_t i = 0; i < width_; ++i) height_[size_t(j * width_ + i)] += row * along[size_t(i)];
      }
    }
  }
  // The depth at which the layer at p was laid down.
  double undo(const Point& p) const {
    const double x = std::clamp(p.x + margin_, 0.0, double(width_ - 2));
    const auto i = int64_t(x);
    const float fx = float(x - double(i));
    float h;
    if (flat_) {
      h = between(&height_[size_t(i)], fx);
    } else {
      const double y = std::clamp(p.y + margin_, 0.0, double(rows_ - 2));
      const auto j = int64_t(y);
      const float* row = &height_[size_t(j * width_ + i)];
      const float a = between(row, fx), b = between(row + width_, fx);
      h = a + float(y - double(j)) * (b - a);
    }
    const double growth = std::clamp(p.z / depth_, 0.0, 1.5);
    return p.z - double(h) * growth - tilt_x_ * (p.x - mid_x_) - (flat_ ? 0 : tilt_y_ * (p.y - mid_y_));
  }

 private:
  static float bell(double t) { return float(std::exp(-0.5 * t * t)); }
  static float between(const float* two, float f) { return two[0] + f * (two[1] - two[0]); }
  bool flat_;
  double margin_;
  int64_t width_, rows_;
  std::vector<float> height_;
  double depth_, tilt_x_, tilt_y_, mid_x_, mid_y_;
};

// Impedance over the depth of deposition, [-margin, samples + margin) in steps of 1 / kFine.
class Layers {
 public:
  Layers(const SyntheticSeismic& o, RandomSequence& random, double margin) : margin_(margin + 2) {
    const auto count = size_t((double(o.samples) + 2 * margin_) * kFine) + 2;
    // Zones of loud and of quiet layers, as lithology comes.
    double zone_end = 0, loudness = 1;
    while (impedance_.size() < count) {
      const double at = double(impedance_.size()) / kFine;
      if (at >= zone_end) zone_end = at + random.uniform(10, 50), loudness = random.uniform(0.15, 1);
      const double value = loudness * random.normal();
      const auto steps = std::max<int64_t>(1, int64_t(draw(random, o.layer) * kFine));
      impedance_.insert(impedance_.end(), size_t(steps), float(value));
    }
  }
  // What one sample's height of rock reflects.
  float reflectivity(double depth) const { return at(depth + 0.5) - at(depth - 0.5); }

 private:
  float at(double depth) const {
    const double place = std::clamp((depth + margin_) * kFine, 0.0, double(impedance_.size() - 2));
    const auto i = size_t(place);
    return impedance_[i] + float(place - double(i)) * (impedance_[i + 1] - impedance_[i]);
  }
  double margin_;
  std::vector<float> impedance_;
};

// out[i] = sum over k of in[i + k] * wavelet[k]: `in` is longer by the wavelet's length less one.
void convolve(const float* in, const std::vector<float>& wavelet, float* out, int64_t n) {
  std::fill_n(out, n, 0.0f);
  for (size_t k = 0; k < wavelet.size(); ++k) {
    const float w = wavelet[k];
    const float* from = in + k;
    for (int64_t i = 0; i < n; ++i) out[i] += w * from[i];
  }
}

double deviation(const std::vector<float>& v) {
  double mean = 0, square = 0;
  for (const float x : v) mean += double(x);
  mean /= double(v.size());
  for (const float x : v) square += (double(x) - mean) * (double(x) - mean);
  return std::sqrt(square / double(v.size()));
}

// Of deviation 1: white noise through a wavelet down the traces, smoothed from trace to trace and line to line.
std::vector<float> coloured_noise(const SyntheticSeismic& o, RandomSequence& random) {
  const std::vector<float> wavelet = ricker_wavelet(draw(random, o.noise_frequency), o.interval);
  const double width = draw(random, o.noise_width);
  const float keep = width > 0 ? float(std::exp(-1 / width)) : 0.0f;
  const int64_t n = o.samples, traces = o.inlines * o.crosslines;
  std::vector<float> white(size_t(n) + wavelet.size() - 1), noise(size_t(traces * n));
  for (int64_t t = 0; t < traces; ++t) {
    for (float& v : white) v = random.normal();
    float* trace = &noise[size_t(t * n)];
    convolve(white.data(), wavelet, trace, n);
    const auto blend = [&](int64_t other) {
      for (int64_t i = 0; i < n; ++i) trace[i] += keep * noise[size_t(other * n + i)];
    };
    if (t % o.crosslines > 0) blend(t - 1);
    if (t >= o.crosslines && o.inlines > 1) blend(t - o.crosslines);
    if (t % o.crosslines > 0 && t >= o.crosslines && o.inlines > 1)
      for (int64_t i = 0; i < n; ++i) trace[i] -= keep * keep * noise[size_t((t - o.crosslines - 1) * n + i)];
  }
  const double d = deviation(noise);
  for (float& v : noise) v = float(double(v) / d);
  return noise;
}

double most(const Range& r) { return std::max(std::abs(r.low), std::abs(r.high)); }

void check_range(const char* name, const Range& r, double low, double high) {
  check(r.low <= r.high && r.low >= low && r.high <= high, name, " goes from ", r.low, " to ", r.high,
        "; expected two numbers in ascending order within ", low, " and ", high);
}

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
  check_range("layer", o.layer, 0.25, 1e4);
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
  check_range("frequency", o.frequency, nyquist / 1000, nyquist);
  check_range("noise", o.noise, 0, 100);
  check_range("noise_frequency", o.noise_frequency, nyquist / 1000, nyquist);
  check_range("noise_width", o.noise_width, 0, 1000);
  check_range("label", o.label, 1, 100);
  check(o.reverse >= 0 && o.reverse <= 1, "reverse is ", o.reverse, ", expected a share, 0 to 1");
  check(o.parallel >= 0 && o.parallel <= 1, "parallel is ", o.parallel, ", expected a chance, 0 to 1");
  check(o.least_throw >= 0, "least_throw is ", o.least_throw, ", expected 0 or more");
}

std::vector<float> ricker_wavelet(double frequency, double interval) {
  const double period = 1e6 / (frequency * interval);  // in samples
  const auto half = int64_t(std::ceil(1.1 * period));
  std::vector<float> w(size_t(2 * half + 1));
  for (int64_t i = -half; i <= half; ++i) {
    const double a = kPi * double(i) / period;
    w[size_t(i + half)] = float((1 - 2 * a * a) * std::exp(-a * a));
  }
  return w;
}

SyntheticVolume synthetic_seismic(const SyntheticSeismic& o, int64_t index) {
  check_options(o);
  SyntheticVolume out{.inlines = o.inlines, .crosslines = o.crosslines, .samples = o.samples};
  RandomSequence wavelet_random = random_of(o, index, Part::wavelet), faults_random = random_of(o, index, Part::faults),
                 folds_random = random_of(o, index, Part::folds), layers_random = random_of(o, index, Part::layers),
                 noise_random = random_of(o, index, Part::noise);
  out.frequency = draw(wavelet_random, o.frequency);
  const double half_label = draw(wavelet_random, o.label) / 2;
  const std::vector<float> wavelet = ricker_wavelet(out.frequency, o.interval);
  const auto half = int64_t(wavelet.size() / 2);
  out.faults = draw_faults(o, o.inlines, o.crosslines, o.samples, faults_random);
  const std::vector<Plane> planes = planes_of(out.faults, o.inlines == 1, o.least_throw);
  double carried = 0;  // how far faults may carry, all together
  for (const Plane& p : planes) carried += std::abs(p.half_slip);
  const Folds folds(o, folds_random, carried + 1);
  const double reach = carried + double(half) + 1.5 * o.folds.high * most(o.fold_height) +
                       most(o.tilt) * (double(o.crosslines + o.inlines) + 2 * carried);
  const Layers layers(o, layers_random, reach);

  const int64_t n = o.samples;
  out.amplitude.resize(size_t(o.inlines * o.crosslines * n));
  out.label.assign(out.amplitude.size(), 0);
  std::vector<float> reflectivity(size_t(n + 2 * half));
  for (int64_t j = 0; j < o.inlines; ++j)
    for (int64_t i = 0; i < o.crosslines; ++i) {
      const auto trace = size_t((j * o.crosslines + i) * n);
      for (int64_t k = -half; k < n + half; ++k) {
        Point p{double(i), double(j), double(k)};
        const bool on_fault = follow_back(planes, p, half_label);
        reflectivity[size_t(k + half)] = layers.reflectivity(folds.undo(p));
        if (on_fault && k >= 0 && k < n) out.label[trace + size_t(k)] = 1;
      }
      convolve(reflectivity.data(), wavelet, &out.amplitude[trace], n);
    }

  out.noise = draw(noise_random, o.noise);
  const std::vector<float> noise = coloured_noise(o, noise_random);
  const double signal = deviation(out.amplitude), share = signal > 0 ? out.noise * signal : 1;
  for (size_t i = 0; i < noise.size(); ++i) out.amplitude[i] += float(share) * noise[i];
  const double d = deviation(out.amplitude);
  double mean = 0;
  for (const float v : out.amplitude) mean += double(v);
  mean /= double(out.amplitude.size());
  for (float& v : out.amplitude) v = d > 0 ? float((double(v) - mean) / d) : 0.0f;
  return out;
}

namespace {
// Catmull-Rom between in[1] and in[2].
float cubic(float a, float b, float c, float d, float t) {
  return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}
// What lies outside [0, n - 1] seen in a mirror at its end.
double mirrored(double at, int64_t n) {
  const auto last = double(n - 1);
  if (at < 0) at = -at;
  if (at > last) at = 2 * last - at;
  return std::clamp(at, 0.0, last);
}
}  // namespace

void cut_faults(SyntheticVolume& v, const SyntheticSeismic& o, int64_t index) {
  check_options(o);
  internal_check(int64_t(v.amplitude.size()) == v.inlines * v.crosslines * v.samples && !v.amplitude.empty(),
                 "a volume of ", v.amplitude.size(), " samples");
  RandomSequence wavelet_random = random_of(o, index, Part::wavelet), faults_random = random_of(o, index, Part::faults);
  draw(wavelet_random, o.frequency);
  const double half_label = draw(wavelet_random, o.label) / 2;
  v.faults = draw_faults(o, v.inlines, v.crosslines, v.samples, faults_random);
  const std::vector<Plane> planes = planes_of(v.faults, v.inlines == 1, o.least_throw);
  const std::vector<float> from = v.amplitude;
  v.label.assign(from.size(), 0);
  const int64_t n = v.samples;
  // Down a trace by a cubic through four samples, sideways between the neighbouring traces.
  const auto on_trace = [&](int64_t i, int64_t j, double z) {
    const double base = std::floor(z);
    const float* trace = &from[size_t((j * v.crosslines + i) * n)];
    const auto sample = [&](int64_t k) { return trace[std::clamp<int64_t>(k, 0, n - 1)]; };
    const auto k = int64_t(base);
    return cubic(sample(k - 1), sample(k), sample(k + 1), sample(k + 2), float(z - base));
  };
  for (int64_t j = 0; j < v.inlines; ++j)
    for (int64_t i = 0; i < v.crosslines; ++i)
      for (int64_t k = 0; k < n; ++k) {
        Point p{double(i), double(j), double(k)};
        const auto at = size_t((j * v.crosslines + i) * n + k);
        v.label[at] = follow_back(planes, p, half_label);
        const double x = mirrored(p.x, v.crosslines), y = mirrored(p.y, v.inlines), z = mirrored(p.z, n);
        const auto x0 = int64_t(x), y0 = int64_t(y);
        const int64_t x1 = std::min(x0 + 1, v.crosslines - 1), y1 = std::min(y0 + 1, v.inlines - 1);
        const float fx = float(x - double(x0)), fy = float(y - double(y0));
        const auto row = [&](int64_t line) {
          const float a = on_trace(x0, line, z);
          return fx > 0 ? a + fx * (on_trace(x1, line, z) - a) : a;
        };
        const float a = row(y0);
        v.amplitude[at] = fy > 0 ? a + fy * (row(y1) - a) : a;
      }
}

}  // namespace kern::data
