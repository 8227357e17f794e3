// The layers of synthetic seismic before faults cut them: what they reflect, and how they are folded.
#pragma once
#include <algorithm>
#include <vector>

#include "data/seismic_draw.h"

namespace kern::data {

// A height over the map, in a table wider than the volume by a margin; beyond that as at its edge.
class Relief {
 public:
  Relief(const SyntheticSeismic& options, double margin);
  void add_bell(double height, double x, double y, double deviation);
  float at(float x, float y) const {
    x = std::clamp(x + margin_, 0.0f, last_x_);
    const auto i = int64_t(x);
    const float fx = x - float(i);
    if (flat_) return between(&height_[size_t(i)], fx);
    y = std::clamp(y + margin_, 0.0f, last_y_);
    const auto j = int64_t(y);
    const float* row = &height_[size_t(j * width_ + i)];
    const float a = between(row, fx), b = between(row + width_, fx);
    return a + (y - float(j)) * (b - a);
  }

 private:
  static float between(const float* two, float f) { return two[0] + f * (two[1] - two[0]); }
  bool flat_;
  float margin_;
  int64_t width_, rows_;
  float last_x_, last_y_;
  std::vector<float> height_;
};

// The folds and the shear of a sequence of layers.
class Folds {
 public:
  // `share` of the heights and tilts that the options say.
  Folds(const SyntheticSeismic& options, RandomSequence& random, double margin, double share = 1);
  void add_bell(double height, double x, double y, double deviation) { relief_.add_bell(height, x, y, deviation); }
  // depth[i]: at which the layer at a place was laid down.
  void undo(const float* x, const float* y, const float* z, float* depth, int64_t n) const;
  // How much lower than its depth the layer in the middle of the trace lies.
  float drop(float x, float y) const;

 private:
  Relief relief_;
  float depth_, tilt_x_ = 0, tilt_y_ = 0, mid_x_, mid_y_;
};

// Impedance over the depth of deposition, [-margin, samples + margin), of two kinds of rock.
class Layers {
 public:
  Layers(const SyntheticSeismic& options, RandomSequence& random, double margin);
  // What one sample's height of rock reflects. other: how much of it is the other kind of rock.
  void reflectivity(const float* depth, float other, float* out, int64_t n) const;
  float impedance(float depth, float other) const;

 private:
  static constexpr int kFine = 8;  // steps of the table per sample
  float place(float depth) const { return std::clamp((depth + margin_) * kFine, 0.0f, last_); }
  float margin_, last_;
  std::vector<float> impedance_[2], reflectivity_[2];
};

// How much of the other kind of rock there is, over the map.
class Facies {
 public:
  Facies(const SyntheticSeismic& options, RandomSequence& random);
  float at(float x, float y) const;

 private:
  float most_, cell_;
  Turbulence turbulence_;
};

}  // namespace kern::data
