// Seismic sections as images.
#pragma once
#include <span>

#include "data/image.h"

namespace kern::data {

inline constexpr double kSeismicSigmas = 3;  // what is black and what is white

// Grey, [samples, traces]: peaks dark, troughs light, black and white at median +- 3 sigma. `amplitude` is
// [trace][sample]. Where sigma is 0 or nothing is finite the image is of middle grey; samples that are no number are
// middle grey too. No side is longer than `longest` pixels.
Image seismic_image(std::span<const float> amplitude, int64_t traces, int64_t samples, double median, double sigma,
                    int64_t longest = 1600);

// A section, grey [H,W,1] or in colours, with fault probability [trace][sample] of any other size on top: clear below
// `from`, then from yellow to red.
inline constexpr double kClearBelow = 0.4;
Rgb fault_colour(double t);  // t: 0 yellow, 1 red
Image with_faults(const Image& section, std::span<const float> probability, int64_t traces, int64_t samples,
                  double from = kClearBelow);

// A sheet of images of equal size side by side, `columns` to a row, `gap` pixels of white between them.
Image image_rows(std::span<const Image> images, int64_t columns, int64_t gap = 4);

}  // namespace kern::data
