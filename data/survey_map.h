// From a SEG-Y survey's grid to the ground, and the scale of its amplitudes.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "data/segy_geometry.h"

namespace kern::data {

// From fractional (inline, crossline, sample) places of the grid to X, Y and milliseconds, metres or feet (or samples).
// Without coordinates in the file X and Y are line numbers.
class SurveyMap {
 public:
  SurveyMap(const SegyFile& file, const SegyGeometry& geometry);
  std::array<double, 3> operator()(const std::array<double, 3>& place) const;
  // Back: the fractional place of X, Y and Z. Of a line the column is that of the nearest trace, its row 0, or -2 where
  // none is as near as two traces are to each other.
  std::array<double, 3> place(const std::array<double, 3>& world) const;
  bool has_coordinates() const { return has_coordinates_; }

 private:
  bool has_coordinates_ = false;
  std::array<double, 3> x_{}, y_{};       // of a cube: a + b inline + c crossline
  std::vector<SegyFile::Position> line_;  // of a line: of every trace
  double delay_ = 0, step_ = 1;
};

// What the amplitudes of a whole file are divided by: amplitude_scale() of traces spread over it, after a gain
// control over so many samples (0: none).
double amplitude_scale_of(const SegyFile& file, int64_t gain = 0);

// The least-squares plane v = a + b i + c x through points {i, x, v}: {a, b, c}; where a direction does not vary its
// slope is 0.
std::array<double, 3> plane_through(const std::vector<std::array<double, 3>>& points);

}  // namespace kern::data
