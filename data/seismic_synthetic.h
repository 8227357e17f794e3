// Synthetic seismic with faults: the training set, made rather than downloaded. After X. Wu et al., "FaultSeg3D",
// Geophysics 84(3), 2019:
//
//   layers of random reflectivity -> folding (a sum of Gaussians that grows with depth) -> planar shear -> faults, each
//   cutting the older ones -> Ricker wavelet -> coloured noise -> labels one to two samples thick
//
// Every place of the image is followed back through the faults, youngest first, then through shear and folds, to the
// depth at which its layer was laid down. So a reflection is as sharp as its wavelet whatever has happened to it, and
// there is no reflection of the fault plane itself.
//
// A fault is an ellipse in a plane. Its slip is greatest in the centre and zero at the rim; half of it moves the rock
// above the plane (down in a normal fault, up in a reverse one), half the rock below, and both die out away from it.
#pragma once
#include <cstdint>
#include <vector>

namespace kern::data {

struct Range {
  double low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

// Lengths are in traces (sideways) and samples (downwards), angles in degrees of an image in which a trace is as wide
// as a sample is high. Of every range one value is drawn per volume, fault, fold or layer.
struct SyntheticSeismic {
  int64_t inlines = 1;  // 1: a section; more: a cube
  int64_t crosslines = 128, samples = 128;
  double interval = 4000;         // microseconds between samples
  Range layer{1.5, 12};           // thickness
  Range folds{0, 6};              // how many
  Range fold_height{-14, 14};     // at the bottom; half of it in the middle
  Range fold_width{12, 60};       // standard deviation of the Gaussian
  Range tilt{-0.15, 0.15};        // samples per trace, in both directions
  Range faults{1, 6};             // how many
  Range throw_{3, 24};            // vertical, in the centre of the fault
  Range dip{55, 85};              // from the horizontal; falls to either side
  Range strike{-40, 40};          // 0: square to the inlines; of cubes up to -90, 90
  Range length{0.35, 1.3};        // half-axis down the dip, as a share of the samples
  Range aspect{1, 2.5};           // half-axis along the strike over that
  double reverse = 0.25;          // share of reverse faults
  double parallel = 0.5;          // chance that a fault takes the direction of the one before it
  Range frequency{18, 45};        // Hz, of the wavelet's peak
  Range noise{0.05, 0.5};         // its deviation over that of the signal
  Range noise_frequency{15, 60};  // Hz, of its peak
  Range noise_width{0, 3};        // traces over which it is alike
  Range label{1, 2};              // thickness across the fault, in samples
  double least_throw = 1;         // a fault is labelled where it throws at least this
  uint64_t seed = 0;
};

struct SyntheticFault {
  double x = 0, y = 0, z = 0;  // centre: crossline, inline, sample, from 0
  double dip = 0, strike = 0;  // radians; dip > pi/2 falls to lower crosslines
  double throw_ = 0;           // > 0 normal, < 0 reverse
  double down = 0, along = 0;  // half-axes
  double reach = 0;            // how far from the plane the rock moves
};

// [inline][crossline][sample], the sample fastest.
struct SyntheticVolume {
  int64_t inlines = 0, crosslines = 0, samples = 0;
  std::vector<float> amplitude;        // mean 0, deviation 1
  std::vector<uint8_t> label;          // 1 on a fault
  std::vector<SyntheticFault> faults;  // oldest first
  double frequency = 0, noise = 0;     // what was drawn
};

// Throws an Error naming the option that is out of range.
void check_options(const SyntheticSeismic& options);

// Volume `index` of the set; it depends on the options and the index alone. Runs on the calling thread.
SyntheticVolume synthetic_seismic(const SyntheticSeismic& options, int64_t index);

// The Ricker wavelet of a peak frequency, 2 n + 1 samples from -n to n with 1 in the middle; n grows with the period.
std::vector<float> ricker_wavelet(double frequency, double interval);

// Faults cut into a section or cube of the caller's, by displacement: amplitude and label of `volume` are made anew
// from its amplitude, with faults drawn by the options (of which only those of faults and labels count). What moves in
// from outside is the mirror image of what is at the edge.
void cut_faults(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index);

}  // namespace kern::data
