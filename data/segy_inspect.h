// What a SEG-Y file holds, as a geophysicist asks for it.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/segy_geometry.h"

namespace kern::data {

struct SegyAmplitudes {
  int64_t traces = 0, samples = 0;  // looked at, spread evenly over the file; the figures below are of these
  double least = 0, most = 0, mean = 0, deviation = 0;  // NaN when no sample is a number
  double median = 0, sigma = 0;                         // sigma: 1.4826 times the median distance from the median
  double low = 0, high = 0;                             // the 1st and the 99th percentile
  double zeros = 0;                                     // share of samples
  double clipped = 0;                                   // share of samples equal to the least or the most
  int64_t not_finite = 0;                               // samples that are no number
  int64_t flat = 0;                                     // traces of one value throughout
};

struct SegySpectrum {
  std::vector<double> frequency;  // Hz (cycles per sample where the interval is unknown), from 0
  std::vector<double> amplitude;  // its greatest is 1; all 0 for a silent file
  double peak = 0;                // where it is greatest
  double low = 0, high = 0;       // the outermost frequencies within 20 dB of that
};

struct SegySummary {
  SegyAmplitudes amplitudes;
  SegySpectrum spectrum;
  bool has_coordinates = false;
  double x_least = 0, x_most = 0, y_least = 0, y_most = 0;  // of the traces looked at
  double inline_spacing = 0, crossline_spacing = 0;  // metres between neighbouring inlines, crosslines; 0: unknown
  std::vector<std::string> findings;  // the file's warnings, the geometry's findings, and what the samples show
};

// Reads up to about four million samples.
SegySummary inspect_segy(const SegyFile& file, const SegyGeometry& geometry);

// Whether the name ends in .sgy, .segy or .seg, in either case; and every such file below a folder, sorted. Error when
// there is none.
bool is_segy_name(const std::filesystem::path& path);
std::vector<std::filesystem::path> segy_files_below(const std::filesystem::path& folder);

}  // namespace kern::data
