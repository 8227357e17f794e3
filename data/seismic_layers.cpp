#include "data/seismic_layers.h"

#include <algorithm>
#include <cmath>

namespace kern::data {

Relief::Relief(const SyntheticSeismic& o, double margin)
    : flat_(o.inlines == 1),
      margin_(float(margin)),
      width_(int64_t(double(o.crosslines) + 2 * margin) + 3),
      rows_(flat_ ? 1 : int64_t(double(o.inlines) + 2 * margin) + 3),
      last_x_(float(width_ - 2)),
      last_y_(float(rows_ - 2)),
      height_(size_t(width_ * rows_), 0.0f) {}

void Relief::add_bell(double height, double x, double y, double deviation) {
  // A Gaussian of two coordinates is the product of two of one.
  const auto bell = [&](double t) { return float(std::exp(-0.5 * t * t / (deviation * deviation))); };
  std::vector<float> along(static_cast<size_t>(width_));
  for (int64_t i = 0; i < width_; ++i) along[size_t(i)] = bell(double(i) - double(margin_) - x);
  for (int64_t j = 0; j < rows_; ++j) {
    const float row = float(height) * (flat_ ? 1.0f : bell(double(j) - double(margin_) - y));
    for (int64_t i = 0; i < width_; ++i) height_[size_t(j * width_ + i)] += row * along[size_t(i)];
  }
}

Folds::Folds(const SyntheticSeismic& o, RandomSequence& random, double margin, double share)
    : relief_(o, margin),
      depth_(float(o.samples)),
      mid_x_(float(o.crosslines) / 2),
      mid_y_(o.inlines == 1 ? 0 : float(o.inlines) / 2) {
  tilt_x_ = float(share * draw(random, o.tilt));
  tilt_y_ = float(share * draw(random, o.tilt));
  const int count = draw_count(random, o.folds);
  for (int k = 0; k < count; ++k) {
    const double height = share * draw(random, o.fold_height), x = random.uniform(0, double(o.crosslines)),
                 y = random.uniform(0, double(o.inlines)), deviation = draw(random, o.fold_width);
    relief_.add_bell(height, x, o.inlines == 1 ? 0 : y, deviation);
  }
}

void Folds::undo(const float* x, const float* y, const float* z, float* depth, int64_t n) const {
  for (int64_t i = 0; i < n; ++i) depth[i] = relief_.at(x[i], y[i]);
  const float growth = 1 / depth_, tx = tilt_x_, ty = tilt_y_, mx = mid_x_, my = mid_y_;
  vectorised([=] {
    for (int64_t i = 0; i < n; ++i) {
      const float g = std::min(std::max(z[i] * growth, 0.0f), 1.5f);
      depth[i] = z[i] - depth[i] * g - tx * (x[i] - mx) - ty * (y[i] - my);
    }
  });
}

float Folds::drop(float x, float y) const {
  return 0.5f * relief_.at(x, y) + tilt_x_ * (x - mid_x_) + tilt_y_ * (y - mid_y_);
}

Layers::Layers(const SyntheticSeismic& o, RandomSequence& random, double margin) : margin_(float(margin + 2)) {
  const auto count = size_t((double(o.samples) + 2 * double(margin_)) * kFine) + 2;
  last_ = float(count - 2);
  for (auto& impedance : impedance_) {
    // Zones of loud and of quiet layers, as lithology comes.
    double zone_end = 0, loudness = 1;
    while (impedance.size() < count) {
      const double at = double(impedance.size()) / kFine;
      if (at >= zone_end) zone_end = at + random.uniform(10, 50), loudness = random.uniform(0.2, 1);
      const double value = loudness * double(random.normal());
      const auto steps = std::max<int64_t>(1, int64_t(draw(random, o.layer) * kFine));
      impedance.insert(impedance.end(), size_t(steps), float(value));
    }
    impedance.resize(count);
  }
  for (int kind = 0; kind < 2; ++kind) {
    // From the mean of the sample above to the mean of the sample below: an interface between two samples is shared by
    // them, so that a dipping reflection does not go down in steps.
    const std::vector<float>& from = impedance_[kind];
    std::vector<double> until(1, 0.0);
    for (const float v : from) until.push_back(until.back() + double(v));
    for (size_t i = 0; i < count; ++i) {
      const size_t above = i < kFine ? 0 : i - kFine, below = std::min(i + kFine, count);
      const double up = i > above ? (until[i] - until[above]) / double(i - above) : double(from[i]);
      const double down = (until[below] - until[i]) / double(below - i);
      reflectivity_[kind].push_back(float(down - up));
    }
  }
}

void Layers::reflectivity(const float* depth, float other, float* out, int64_t n) const {
  const float *a = reflectivity_[0].data(), *b = reflectivity_[1].data();
  for (int64_t i = 0; i < n; ++i) {
    const float at = place(depth[i]);
    const auto k = int64_t(at);
    const float f = at - float(k);
    const float here = a[k] + f * (a[k + 1] - a[k]), there = b[k] + f * (b[k + 1] - b[k]);
    out[i] = here + other * (there - here);
  }
}

float Layers::impedance(float depth, float other) const {
  const auto k = size_t(place(depth));
  return impedance_[0][k] + other * (impedance_[1][k] - impedance_[0][k]);
}

Facies::Facies(const SyntheticSeismic& o, RandomSequence& random)
    : most_(float(draw(random, o.facies))), cell_(float(1 / random.uniform(25, 100))), turbulence_(random) {}

float Facies::at(float x, float y) const {
  if (most_ == 0) return 0;
  return most_ * (0.5f + 0.5f * turbulence_.at(x * cell_, y * cell_, 0));
}

}  // namespace kern::data
