#include "data/seismic_image.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "data/image_draw.h"
#include "kernels/common/error.h"

namespace kern::data {

Image seismic_image(std::span<const float> amplitude, int64_t traces, int64_t samples, double median, double sigma,
                    int64_t longest) {
  internal_check(int64_t(amplitude.size()) == traces * samples && traces > 0 && samples > 0, "a section of ", traces,
                 " x ", samples, " with ", amplitude.size(), " samples");
  Image image = make_raster<uint8_t>(samples, traces, 1, uint8_t(128));
  for (int64_t x = 0; x < traces && sigma > 0; ++x)
    for (int64_t z = 0; z < samples; ++z) {
      const double v = (double(amplitude[size_t(x * samples + z)]) - median) / (kSeismicSigmas * sigma);
      if (std::isfinite(v)) *image.at(z, x) = uint8_t(std::lround(127.5 - 127.5 * std::clamp(v, -1.0, 1.0)));
    }
  const int64_t H = std::min(samples, longest), W = std::min(traces, longest);
  return H == samples && W == traces ? image : resize(image, H, W);
}

Rgb fault_colour(double t) { return {uint8_t(std::lround(255 - 35 * t)), uint8_t(std::lround(220 - 200 * t)), 30}; }

Image with_faults(const Image& section, std::span<const float> probability, int64_t traces, int64_t samples,
                  double from) {
  internal_check(int64_t(probability.size()) == traces * samples && traces > 0 && samples > 0, "a section of ", traces,
                 " x ", samples, " with ", probability.size(), " probabilities");
  Image out = in_colours(section);
  // What pixel i of n covers of a line of `of` values: at least one.
  const auto covered = [](int64_t i, int64_t n, int64_t of) {
    const int64_t first = i * of / n;
    return std::pair(first, std::max(first + 1, (i + 1) * of / n));
  };
  std::vector<std::pair<int64_t, int64_t>> columns(size_t(out.W));
  for (int64_t x = 0; x < out.W; ++x) columns[size_t(x)] = covered(x, out.W, traces);
  for (int64_t y = 0; y < out.H; ++y) {
    const auto [z0, z1] = covered(y, out.H, samples);
    for (int64_t x = 0; x < out.W; ++x) {
      // The largest of what a pixel covers: a fault one sample wide is not lost where the image is smaller.
      const auto [x0, x1] = columns[size_t(x)];
      float p = 0;
      for (int64_t i = x0; i < x1; ++i)
        for (int64_t k = z0; k < z1; ++k) p = std::max(p, probability[size_t(i * samples + k)]);
      if (!(double(p) >= from)) continue;
      const double t = from < 1 ? std::min(1.0, (double(p) - from) / (1 - from)) : 1, opacity = 0.55 + 0.4 * t;
      const Rgb colour = fault_colour(t);
      uint8_t* pixel = out.at(y, x);
      for (int c = 0; c < 3; ++c) pixel[c] = uint8_t(std::lround((1 - opacity) * pixel[c] + opacity * colour[c]));
    }
  }
  return out;
}

Image image_rows(std::span<const Image> images, int64_t columns, int64_t gap) {
  internal_check(!images.empty() && columns > 0, "a sheet of ", images.size(), " images");
  const Image& first = images[0];
  columns = std::min(columns, int64_t(images.size()));
  const int64_t rows = (int64_t(images.size()) + columns - 1) / columns;
  Image out =
      make_raster<uint8_t>(rows * (first.H + gap) - gap, columns * (first.W + gap) - gap, first.C, uint8_t(255));
  for (size_t i = 0; i < images.size(); ++i) {
    const Image& p = images[i];
    internal_check(p.H == first.H && p.W == first.W && p.C == first.C, "images of a sheet are of one size");
    const int64_t top = int64_t(i) / columns * (first.H + gap), left = int64_t(i) % columns * (first.W + gap);
    for (int64_t y = 0; y < p.H; ++y) std::copy_n(p.at(y, 0), p.W * p.C, out.at(top + y, left));
  }
  return out;
}

}  // namespace kern::data
