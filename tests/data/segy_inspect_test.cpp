#include "data/segy_inspect.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "data/fourier.h"
#include "data/segy_write.h"
#include "data/seismic_image.h"

namespace kern::data {
namespace {

TEST(Fourier, is_the_sum_it_stands_for) {
  for (const size_t n : {size_t(1), size_t(2), size_t(8), size_t(64)}) {
    std::vector<std::complex<double>> x;
    for (size_t i = 0; i < n; ++i) x.emplace_back(double(i * i % 7), double(i % 3) - 1);
    std::vector<std::complex<double>> y = x;
    fourier_transform(y);
    for (size_t k = 0; k < n; ++k) {
      std::complex<double> sum;
      for (size_t i = 0; i < n; ++i) sum += x[i] * std::polar(1.0, -2 * std::numbers::pi * double(i * k) / double(n));
      EXPECT_LT(std::abs(y[k] - sum), 1e-10) << n << " " << k;
    }
  }
}

TEST(Fourier, a_sine_has_its_power_at_its_frequency) {
  std::vector<float> sine;
  for (int i = 0; i < 300; ++i) sine.push_back(5 + std::sin(float(2 * std::numbers::pi * 16 / 64) * float(i)));
  PowerSpectrum power(64);
  power.add(sine);
  const std::vector<double> mean = power.mean();
  ASSERT_EQ(mean.size(), 33u);
  EXPECT_EQ(std::max_element(mean.begin(), mean.end()) - mean.begin(), 16);
  EXPECT_LT(mean[0], 1e-3 * mean[16]);
  EXPECT_LT(mean[20], 1e-3 * mean[16]);
  PowerSpectrum shorter(64);
  shorter.add(std::span(sine).first(10));
  EXPECT_GT(shorter.mean()[16], 0);
}

// A file of 4 x 5 traces, every one by f(trace, sample).
template <class F>
SegySummary summary_of(F f, double spacing = 25) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "inspected.sgy";
  {
    SegyWriter writer(path, SegyGrid{.inlines = {.count = 4},
                                     .crosslines = {.count = 5},
                                     .samples = 256,
                                     .interval = 2000,
                                     .spacing = spacing,
                                     .x = spacing,
                                     .y = spacing});
    for (int t = 0; t < 20; ++t) {
      std::vector<float> trace;
      for (int i = 0; i < 256; ++i) trace.push_back(f(t, i));
      writer.write_trace(t, trace);
    }
    writer.commit();
  }
  const SegyFile file(path);
  return inspect_segy(file, SegyGeometry(file));
}
bool finds(const SegySummary& s, const std::string& words) {
  for (const std::string& f : s.findings)
    if (f.find(words) != f.npos) return true;
  return false;
}

TEST(SegyInspect, amplitudes_spectrum_and_spacing) {
  const SegySummary s = summary_of(
      [](int t, int i) { return 3 * std::sin(float(2 * std::numbers::pi * 40 * 0.002) * float(i) + float(t)); });
  EXPECT_TRUE(s.findings.empty()) << s.findings[0];
  EXPECT_NEAR(s.amplitudes.most, 3, 0.01);
  EXPECT_NEAR(s.amplitudes.deviation, 3 / std::sqrt(2.0), 0.01);
  EXPECT_NEAR(s.amplitudes.median, 0, 0.2);
  EXPECT_EQ(s.amplitudes.traces, 20);
  EXPECT_NEAR(s.spectrum.peak, 40, 2);
  EXPECT_TRUE(s.spectrum.low > 30 && s.spectrum.high < 50);
  EXPECT_EQ(s.inline_spacing, 25);
  EXPECT_EQ(s.crossline_spacing, 25);
  EXPECT_EQ(s.x_least, 25);
  EXPECT_EQ(s.x_most, 125);
}

TEST(SegyInspect, what_is_odd) {
  const auto noise = [](int t, int i) { return float((t * 31 + i * 17) % 101 - 50); };
  EXPECT_TRUE(finds(summary_of([](int, int) { return 7.0f; }), "every sample is 7: the file holds no signal"));
  EXPECT_TRUE(finds(summary_of([&](int t, int i) { return t < 3 ? 0 : noise(t, i); }),
                    "3 of 20 traces looked at hold one value throughout"));
  EXPECT_TRUE(finds(summary_of([&](int t, int i) { return std::clamp(noise(t, i), -30.0f, 30.0f); }), "clipped"));
  EXPECT_TRUE(finds(summary_of([&](int t, int i) { return t == 1 && i == 5 ? 1e9f : noise(t, i); }), "spikes"));
  EXPECT_TRUE(finds(summary_of([&](int t, int i) { return 500 + noise(t, i); }), "far from zero"));
  const SegySummary broken = summary_of([&](int t, int i) { return i == 9 ? NAN : noise(t, i); });
  EXPECT_TRUE(finds(broken, "20 of 5120 samples are no finite number"));
  EXPECT_EQ(broken.amplitudes.not_finite, 20);
  EXPECT_TRUE(finds(summary_of(noise, 0), "no coordinates"));
  const SegySummary nothing = summary_of([](int, int) { return NAN; });
  EXPECT_TRUE(std::isnan(nothing.amplitudes.median));
}

TEST(SeismicImage, grey_by_sigma) {
  const std::vector<float> v = {0, 6, -6, 100, NAN, 3};
  const Image image = seismic_image(v, 2, 3, 0, 2);  // trace 0: 0, 6, -6; trace 1: 100, NaN, 3
  EXPECT_EQ(image.H, 3);
  EXPECT_EQ(image.W, 2);
  EXPECT_EQ(*image.at(0, 0), 128);
  EXPECT_EQ(*image.at(1, 0), 0);
  EXPECT_EQ(*image.at(2, 0), 255);
  EXPECT_EQ(*image.at(0, 1), 0);
  EXPECT_EQ(*image.at(1, 1), 128);
  EXPECT_EQ(*image.at(2, 1), 64);
  EXPECT_EQ(*seismic_image(v, 2, 3, 0, 0).at(1, 0), 128);
  EXPECT_EQ(seismic_image(std::vector<float>(5000), 1, 5000, 0, 1, 100).H, 100);
  const Image two[] = {image, image, image};
  const Image rows = image_rows(two, 2, 1);
  EXPECT_EQ(rows.H, 7);
  EXPECT_EQ(rows.W, 5);
  EXPECT_EQ(*rows.at(3, 0), 255);
  EXPECT_EQ(*rows.at(5, 0), 0);
  EXPECT_EQ(*rows.at(5, 3), 255);
}

}  // namespace
}  // namespace kern::data
