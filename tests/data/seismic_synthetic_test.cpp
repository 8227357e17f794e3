#include "data/seismic_synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/seismic_wavelet.h"
#include "kernels/common/error.h"
#include "tests/data/plain_seismic.h"

namespace kern::data {
namespace {

// Flat layers and one fault that cuts the whole section.
SyntheticSeismic one_fault() {
  SyntheticSeismic o = plain_seismic();
  o.folds = {0, 0}, o.tilt = {0, 0}, o.faults = {1, 1}, o.strike = {0, 0};
  o.length = {3, 3}, o.dip = {70, 70}, o.throw_ = {10, 10};
  return o;
}
// The first volume whose fault has its centre well inside.
SyntheticVolume centred(SyntheticSeismic o) {
  for (int64_t i = 0;; ++i) {
    const SyntheticFault f = synthetic_seismic(o, i).faults[0];
    if (std::abs(f.x - 64) < 20 && std::abs(f.z - 64) < 20) return synthetic_seismic(o, i);
  }
}
double share_labelled(const SyntheticVolume& v) {
  return double(std::count(v.label.begin(), v.label.end(), 1)) / double(v.label.size());
}

TEST(SeismicSynthetic, depends_on_seed_and_index_alone) {
  SyntheticSeismic o;
  const SyntheticVolume a = synthetic_seismic(o, 3), b = synthetic_seismic(o, 3);
  EXPECT_EQ(a.amplitude, b.amplitude);
  EXPECT_EQ(a.label, b.label);
  EXPECT_NE(a.amplitude, synthetic_seismic(o, 4).amplitude);
  EXPECT_NE(a.amplitude, synthetic_seismic(o, 3 + (int64_t(1) << 32)).amplitude);
  o.seed = 1;
  EXPECT_NE(a.amplitude, synthetic_seismic(o, 3).amplitude);
  // The noise does not move the faults.
  SyntheticSeismic quiet;
  quiet.noise = {0, 0};
  EXPECT_EQ(a.label, synthetic_seismic(quiet, 3).label);
}

TEST(SeismicSynthetic, amplitudes_are_normalised_and_faults_are_there) {
  double labelled = 0;
  for (int64_t i = 0; i < 20; ++i) {
    const SyntheticVolume v = synthetic_seismic({.mute = 0, .dead = 0, .holes = 0}, i);  // there amplitudes are 0
    double mean = 0, square = 0;
    for (const float a : v.amplitude) mean += double(a), square += double(a) * double(a);
    const auto n = double(v.amplitude.size());
    EXPECT_NEAR(mean / n, 0, 1e-3);
    EXPECT_NEAR(square / n, 1, 1e-3);
    labelled += share_labelled(v) / 20;
  }
  EXPECT_GT(labelled, 0.01);
  EXPECT_LT(labelled, 0.06);
}

TEST(SeismicSynthetic, what_is_drawn_is_within_the_ranges) {
  SyntheticSeismic o;
  o.faults = {2, 4}, o.throw_ = {5, 9}, o.dip = {60, 80}, o.strike = {-30, 10}, o.reverse = 0.5;
  o.frequency = {20, 25}, o.noise = {0.1, 0.2};
  o.bin = {1, 1}, o.listric = 0;  // the grid and the depth change a dip
  int normal = 0, reverse = 0, left = 0, right = 0, least = 100, most = 0;
  for (int64_t i = 0; i < 40; ++i) {
    const SyntheticVolume v = synthetic_seismic(o, i);
    const int count = int(v.faults.size());
    least = std::min(least, count), most = std::max(most, count);
    EXPECT_TRUE(v.frequency >= 20 && v.frequency <= 25 && v.noise >= 0.1 && v.noise <= 0.2);
    for (const SyntheticFault& f : v.faults) {
      f.throw_ > 0 ? ++normal : ++reverse;
      f.dip > std::numbers::pi / 2 ? ++left : ++right;
      const double dip = std::min(f.dip, std::numbers::pi - f.dip) * 180 / std::numbers::pi,
                   strike = f.strike * 180 / std::numbers::pi;
      EXPECT_TRUE(std::abs(f.throw_) >= 5 && std::abs(f.throw_) <= 9) << f.throw_;
      EXPECT_TRUE(dip >= 59.9 && dip <= 80.1) << dip;
      EXPECT_TRUE(strike >= -30.1 && strike <= 10.1) << strike;
      EXPECT_TRUE(f.x >= 0 && f.x <= 128 && f.z >= 0 && f.z <= 128);
    }
  }
  EXPECT_EQ(least, 2);
  EXPECT_EQ(most, 4);
  EXPECT_TRUE(normal > 30 && reverse > 30 && left > 30 && right > 30);
}

TEST(SeismicSynthetic, labels_are_as_thick_as_asked) {
  for (const double thickness : {1.0, 1.5, 2.0}) {
    SyntheticSeismic o = one_fault();
    o.label = {thickness, thickness};
    const SyntheticVolume v = centred(o);
    int64_t rows = 0, labelled = 0;
    for (int64_t z = 0; z < v.samples; ++z) {
      int64_t run = 0;
      for (int64_t x = 0; x < v.crosslines; ++x) run += v.label[size_t(x * v.samples + z)];
      if (run == 0) continue;  // the plane leaves the section
      ++rows, labelled += run;
      EXPECT_TRUE(run >= 1 && run <= (thickness == 1 ? 1 : 2)) << z;
    }
    EXPECT_GT(rows, 80);
    EXPECT_NEAR(double(labelled) / double(rows), thickness, 0.05);
  }
}

// How far the layers at the right lie below those at the left of the fault's centre, by the best match of two traces.
double measured_throw(const SyntheticVolume& v) {
  const SyntheticFault& f = v.faults[0];
  const auto left = int64_t(f.x) - 2, right = int64_t(f.x) + 3, middle = int64_t(f.z);
  double best = -2, at = 0;
  for (int64_t lag = -30; lag <= 30; ++lag) {
    double ab = 0, aa = 0, bb = 0;
    for (int64_t z = middle - 24; z <= middle + 24; ++z) {
      const int64_t zl = z - lag / 2, zr = zl + lag;
      if (zl < 0 || zr < 0 || zl >= v.samples || zr >= v.samples) continue;
      const double a = double(v.amplitude[size_t(left * v.samples + zl)]),
                   b = double(v.amplitude[size_t(right * v.samples + zr)]);
      ab += a * b, aa += a * a, bb += b * b;
    }
    if (const double match = ab / std::sqrt(aa * bb + 1e-9); match > best) best = match, at = double(lag);
  }
  return at;
}

TEST(SeismicSynthetic, the_layers_are_thrown_as_far_as_asked) {
  for (const double wanted : {6.0, 12.0, 18.0})
    for (const double reverse : {0.0, 1.0}) {
      SyntheticSeismic o = one_fault();
      o.dip = {88, 89}, o.throw_ = {wanted, wanted}, o.reverse = reverse, o.layer = {1.5, 5};
      const SyntheticVolume v = centred(o);
      // The side above the plane goes down in a normal fault: the right one where the plane falls to the right.
      const double sign = (reverse > 0 ? -1 : 1) * (v.faults[0].dip > std::numbers::pi / 2 ? -1 : 1);
      EXPECT_NEAR(measured_throw(v), sign * wanted, 0.1 * wanted + 1);
    }
}

TEST(SeismicSynthetic, slip_ends_at_the_rim) {
  SyntheticSeismic o = one_fault();
  o.length = {0.25, 0.25}, o.throw_ = {6, 6};
  const SyntheticVolume v = centred(o);
  const SyntheticFault& f = v.faults[0];
  for (int64_t x = 0; x < v.crosslines; ++x)
    for (int64_t z = 0; z < v.samples; ++z)
      if (v.label[size_t(x * v.samples + z)]) {
        EXPECT_LT(std::hypot(double(x) - f.x, double(z) - f.z), f.down + 2);
      }
  EXPECT_GT(share_labelled(v), 0);
}

TEST(SeismicSynthetic, cubes) {
  SyntheticSeismic o = one_fault();
  o.inlines = 12, o.crosslines = 40, o.samples = 30, o.strike = {-90, 90}, o.faults = {3, 3}, o.folds = {2, 3};
  const SyntheticVolume v = synthetic_seismic(o, 1);
  EXPECT_EQ(v.amplitude.size(), size_t(12 * 40 * 30));
  EXPECT_EQ(v.label.size(), v.amplitude.size());
  EXPECT_GT(share_labelled(v), 0);
  EXPECT_EQ(v.amplitude, synthetic_seismic(o, 1).amplitude);
  // Neighbouring inlines are alike.
  double ab = 0, aa = 0;
  for (size_t i = 0; i < size_t(40 * 30); ++i)
    ab += double(v.amplitude[i]) * double(v.amplitude[i + 1200]), aa += double(v.amplitude[i]) * double(v.amplitude[i]);
  EXPECT_GT(ab / aa, 0.6);
}

TEST(SeismicSynthetic, no_faults_and_one_sample) {
  SyntheticSeismic o;
  o.faults = {0, 0};
  EXPECT_EQ(share_labelled(synthetic_seismic(o, 0)), 0);
  o.crosslines = o.samples = 1, o.faults = {3, 3};
  EXPECT_EQ(synthetic_seismic(o, 0).amplitude.size(), 1u);
}

TEST(SeismicSynthetic, faults_cut_into_a_section) {
  SyntheticSeismic o = one_fault();
  o.faults = {0, 0};
  SyntheticVolume v = synthetic_seismic(o, 7);
  const std::vector<float> before = v.amplitude;
  cut_faults(v, o, 0);  // none
  EXPECT_EQ(v.amplitude, before);
  o.faults = {1, 1}, o.dip = {88, 89};
  int64_t index = 0;
  while (v.faults.empty() || std::abs(v.faults[0].x - 64) > 20 || std::abs(v.faults[0].z - 64) > 20) {
    v.amplitude = before;
    cut_faults(v, o, index++);
  }
  EXPECT_GT(share_labelled(v), 0.005);
  EXPECT_NEAR(std::abs(measured_throw(v)), 10, 2.0);
}

TEST(SeismicSynthetic, options_are_checked) {
  const auto refusal = [](void (*change)(SyntheticSeismic&)) {
    SyntheticSeismic o;
    change(o);
    try {
      check_options(o);
    } catch (const Error& e) {
      return e.sentence();
    }
    return std::string();
  };
  EXPECT_EQ(refusal([](SyntheticSeismic& o) {
              o.dip = {80, 60};
            }),
            "dip goes from 80 to 60; expected two numbers in ascending order within 10 and 90");
  EXPECT_EQ(refusal([](SyntheticSeismic& o) { o.samples = 0; }), "samples is 0, expected 1 to 65535");
  EXPECT_EQ(refusal([](SyntheticSeismic& o) { o.reverse = 2; }), "reverse is 2, expected a share, 0 to 1");
  EXPECT_NE(refusal([](SyntheticSeismic& o) {
              o.frequency = {20, 200};
            }).find("within 0.125 and 125"),
            std::string::npos);
  EXPECT_NE(refusal([](SyntheticSeismic& o) { o.inlines = 4000, o.crosslines = 60000; }).find("too large"),
            std::string::npos);
  EXPECT_NE(refusal([](SyntheticSeismic& o) { o.label = {NAN, 2}; }), "");
}

TEST(SeismicSynthetic, ricker) {
  const std::vector<float> w = ricker_wavelet(25, 4000);
  ASSERT_EQ(w.size() % 2, 1u);
  EXPECT_EQ(w[w.size() / 2], 1);
  double sum = 0;
  for (const float v : w) sum += double(v);
  EXPECT_TRUE(std::equal(w.begin(), w.end(), w.rbegin()));
  EXPECT_NEAR(sum, 0, 1e-2);
}

}  // namespace
}  // namespace kern::data
