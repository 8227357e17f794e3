// The wavelets of synthetic seismic.
#pragma once
#include <cstdint>
#include <vector>

#include "data/seismic_draw.h"

namespace kern::data {

// The Ricker wavelet of a peak frequency, 2 n + 1 samples from -n to n with 1 in the middle; n grows with the period.
std::vector<float> ricker_wavelet(double frequency, double interval);

// A wavelet by its amplitude spectrum and one phase: f1 < f2 <= f3 < f4 are the corners of an Ormsby wavelet as shares
// of the frequency of the period; all of them 0: Ricker.
struct WaveletShape {
  double period = 8;  // samples
  double corners[4] = {0, 0, 0, 0};
  double phase = 0;  // radians; 0: symmetric about the middle
};
// 2 half + 1 samples, tapered to nothing at its ends. The zero-phase one is 1 in the middle.
std::vector<float> wavelet_of(const WaveletShape& shape, int64_t half);

// What a volume's reflections look like: one wavelet at its top, one at its bottom, and blends of them between.
class Wavelets {
 public:
  Wavelets(const SyntheticSeismic& options, RandomSequence& random);
  double period() const { return top_.period; }  // samples
  int64_t half() const { return half_; }
  // out [n] of reflectivity [n + 2 half]
  void convolve(const float* reflectivity, float* out, int64_t n);

 private:
  WaveletShape top_;
  int64_t half_;
  std::vector<float> wavelets_[2];
  bool two_ = false;
  std::vector<float> deep_;
};

// out[i] = sum over k of in[i + k] * wavelet[k]: `in` is longer by the wavelet's length less one.
void convolve(const float* in, const std::vector<float>& wavelet, float* out, int64_t n);

}  // namespace kern::data
