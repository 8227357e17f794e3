// The discrete Fourier transform, for spectra of traces.
#pragma once
#include <complex>
#include <span>
#include <vector>

namespace kern::data {

// X[k] = sum over n of x[n] exp(-2 pi i k n / N), in place. N is a power of two.
void fourier_transform(std::span<std::complex<double>> x);

// Mean power of a signal's parts at the frequencies k / window cycles per sample, k = 0 .. window / 2: parts of
// `window` samples (a power of two) that overlap by half, each less its mean, under a Hann window (Welch's method).
// What is shorter than one part is filled up with zeros. Adds to `power` and counts the parts added.
class PowerSpectrum {
 public:
  explicit PowerSpectrum(int64_t window);
  void add(std::span<const float> signal);
  int64_t window() const { return window_; }
  // Mean over the parts so far; zeros when there were none.
  std::vector<double> mean() const;

 private:
  int64_t window_, parts_ = 0;
  std::vector<double> taper_, power_;
  std::vector<std::complex<double>> part_;
};

}  // namespace kern::data
