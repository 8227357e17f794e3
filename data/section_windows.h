// Faults cut into a user's own sections and cubes: training data with the spectrum, the amplitudes and the noise of his
// survey. What faults the data have of their own stays in them unlabelled, so they should have few.
#pragma once
#include <cstdint>
#include <string>

#include "data/segy_geometry.h"
#include "data/seismic_synthetic.h"

namespace kern::data {

class SectionWindows {
 public:
  // The last fifth of the inlines is for validation, the others for training; of the crosslines where a file has fewer
  // than ten inlines.
  enum class Part { whole, training, validation };

  // Reads the file once, for its median and deviation. Errors: not SEG-Y, prestack, nothing but one amplitude.
  explicit SectionWindows(const std::string& path, const SegyOptions& places = {});

  // Throws an Error where no window of options.inlines lines x options.crosslines traces x options.samples samples fits
  // into the part.
  void expect_room(const SyntheticSeismic& options, Part part) const;

  // A window [inlines, crosslines, samples], its lines inlines or crosslines of the file, less the file's median and
  // over its deviation, with faults drawn by the options. Where the file has no trace amplitudes are 0. It depends on
  // the options, the file, the part and the index alone. Thread-safe.
  SyntheticVolume window(const SyntheticSeismic& options, int64_t index, Part part = Part::whole) const;

  // Microseconds between samples: the file's, or `otherwise` where it does not say.
  double interval(double otherwise) const;

 private:
  struct Area {  // rows are inlines, columns crosslines, counted from 0
    int64_t first_row, rows, first_column, columns;
  };
  Area area(Part part) const;

  SegyFile file_;
  SegyGeometry geometry_;
  double median_ = 0, deviation_ = 1;
};

}  // namespace kern::data
