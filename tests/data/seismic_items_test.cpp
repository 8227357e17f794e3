// Everything that the generator of synthetic seismic knows, one thing at a time: each changes what it should and only
// that.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "data/fourier.h"
#include "data/seismic_bodies.h"
#include "data/seismic_faults.h"
#include "data/seismic_synthetic.h"
#include "data/seismic_wavelet.h"
#include "kernels/common/error.h"
#include "tests/data/plain_seismic.h"

namespace kern::data {
namespace {

using Chance = double SyntheticSeismic::*;

SyntheticSeismic small_volume(int64_t inlines) {
  SyntheticSeismic o = plain_seismic({.inlines = inlines, .crosslines = 40, .samples = 48, .faults = {3, 5}});
  o.least_throw = 0, o.seed = 11;
  return o;
}
int64_t labelled(const SyntheticVolume& v) { return std::accumulate(v.label.begin(), v.label.end(), int64_t{0}); }
// Every label of a is one of b.
bool within(const SyntheticVolume& a, const SyntheticVolume& b) {
  for (size_t i = 0; i < a.label.size(); ++i)
    if (a.label[i] > b.label[i]) return false;
  return true;
}

TEST(SeismicItems, NoiseWaveletsGainAndBodiesNeverMoveALabel) {
  const Chance chances[] = {&SyntheticSeismic::footprint, &SyntheticSeismic::smiles,   &SyntheticSeismic::ground_roll,
                            &SyntheticSeismic::decay,     &SyntheticSeismic::seam,     &SyntheticSeismic::agc,
                            &SyntheticSeismic::stripes,   &SyntheticSeismic::dead,     &SyntheticSeismic::ormsby,
                            &SyntheticSeismic::chaos,     &SyntheticSeismic::channels, &SyntheticSeismic::bright,
                            &SyntheticSeismic::chimney};
  using Ranged = std::pair<Range SyntheticSeismic::*, double>;
  const Ranged ranges[] = {{&SyntheticSeismic::noise, 0.5},    {&SyntheticSeismic::smear, 1},
                           {&SyntheticSeismic::phase, 60},     {&SyntheticSeismic::absorption, 0.5},
                           {&SyntheticSeismic::facies, 0.8},   {&SyntheticSeismic::period, 12},
                           {&SyntheticSeismic::frequency, 20}, {&SyntheticSeismic::damage, 0.7}};
  for (const int64_t inlines : {1, 12}) {
    const SyntheticSeismic plain = small_volume(inlines);
    const auto expect_same_labels = [&](const SyntheticSeismic& o, const char* what, size_t which) {
      bool changed = false;
      for (int64_t i = 0; i < 4; ++i) {
        const SyntheticVolume before = synthetic_seismic(plain, i), after = synthetic_seismic(o, i);
        EXPECT_GT(labelled(before), 0);
        EXPECT_EQ(before.label, after.label) << what << " " << which;
        EXPECT_EQ(before.distance, after.distance) << what << " " << which;
        changed |= before.amplitude != after.amplitude;
        for (const float a : after.amplitude) ASSERT_TRUE(std::isfinite(a));
      }
      EXPECT_TRUE(changed) << what << " " << which;
    };
    for (size_t i = 0; i < std::size(chances); ++i) {
      SyntheticSeismic o = plain;
      o.*chances[i] = 1;
      expect_same_labels(o, "chance", i);
    }
    for (size_t i = 0; i < std::size(ranges); ++i) {
      SyntheticSeismic o = plain;
      o.*ranges[i].first = {ranges[i].second, ranges[i].second};
      expect_same_labels(o, "range", i);
    }
  }
}

TEST(SeismicItems, NoiseThatDipsIsNoiseElsewhere) {
  SyntheticSeismic o = small_volume(6);
  o.noise = {0.5, 0.5}, o.tilt = {0.3, 0.3};
  SyntheticSeismic dips = o;
  dips.noise_dip = 1;
  EXPECT_NE(synthetic_seismic(o, 0).amplitude, synthetic_seismic(dips, 0).amplitude);
  EXPECT_EQ(synthetic_seismic(o, 0).label, synthetic_seismic(dips, 0).label);
}

TEST(SeismicItems, NothingButFaultsIsLabelled) {
  for (const int64_t inlines : {1, 10}) {
    SyntheticSeismic o = small_volume(inlines);
    o.faults = {0, 0}, o.noise = {0.5, 0.5};
    for (Chance c :
         {&SyntheticSeismic::unconformity, &SyntheticSeismic::onlap, &SyntheticSeismic::channels,
          &SyntheticSeismic::chaos, &SyntheticSeismic::bright, &SyntheticSeismic::salt, &SyntheticSeismic::chimney,
          &SyntheticSeismic::footprint, &SyntheticSeismic::smiles, &SyntheticSeismic::ground_roll,
          &SyntheticSeismic::decay, &SyntheticSeismic::seam, &SyntheticSeismic::agc, &SyntheticSeismic::stripes,
          &SyntheticSeismic::mute, &SyntheticSeismic::dead, &SyntheticSeismic::holes})
      o.*c = 1;
    for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(labelled(synthetic_seismic(o, i)), 0);
  }
}

TEST(SeismicItems, FaultsEndAtUnconformitiesAndSalt) {
  for (const Chance c : {&SyntheticSeismic::unconformity, &SyntheticSeismic::salt})
    for (const int64_t inlines : {1, 12}) {
      SyntheticSeismic o = small_volume(inlines);
      const SyntheticSeismic plain = o;
      o.*c = 1;
      int shorter = 0;
      for (int64_t i = 0; i < 12; ++i) {
        const SyntheticVolume before = synthetic_seismic(plain, i), after = synthetic_seismic(o, i);
        EXPECT_TRUE(within(after, before));
        EXPECT_NE(before.amplitude, after.amplitude);
        shorter += labelled(after) < labelled(before);
      }
      EXPECT_GT(shorter, 2);
    }
}

TEST(SeismicItems, WhereThereAreNoDataThereAreNoFaults) {
  for (const Chance c : {&SyntheticSeismic::mute, &SyntheticSeismic::holes})
    for (const int64_t inlines : {1, 12}) {
      SyntheticSeismic o = small_volume(inlines);
      const SyntheticSeismic plain = o;
      o.*c = 1;
      int64_t cleared = 0;
      for (int64_t i = 0; i < 8; ++i) {
        const SyntheticVolume before = synthetic_seismic(plain, i), after = synthetic_seismic(o, i);
        for (size_t k = 0; k < after.label.size(); ++k) {
          if (after.amplitude[k] != 0) {
            ASSERT_EQ(after.label[k], before.label[k]);
            ASSERT_EQ(after.amplitude[k], before.amplitude[k]);
          }
          if (before.amplitude[k] != 0 && after.amplitude[k] == 0) {
            ++cleared;
            ASSERT_EQ(after.label[k], 0);
          }
        }
      }
      EXPECT_GT(cleared, 100);
    }
}

// By how much a fault throws rock at a place of its surface: how far apart two points on either side were before.
double throw_at(const FaultSurface& surface, double x, double y, double z) {
  float px[2] = {float(x - 0.01), float(x + 0.01)}, py[2] = {float(y), float(y)}, pz[2] = {float(z), float(z)},
        distance[2] = {FaultSurface::kFar, FaultSurface::kFar};
  surface.follow(px, py, pz, distance, 2);
  return double(pz[0] - pz[1]);  // the side that came from above went down
}

TEST(SeismicItems, SlipFollowsItsProfile) {
  SyntheticFault f{
      .x = 50, .y = 50, .z = 50, .dip = std::numbers::pi / 2 - 1e-4, .throw_ = 10, .down = 30, .along = 40};
  f.reach = 100;
  const FaultSurface ellipse(f, false, 0);
  EXPECT_NEAR(throw_at(ellipse, 50, 50, 50), 10, 0.05);
  EXPECT_NEAR(throw_at(ellipse, 50, 50, 80.5), 0, 0.05);
  EXPECT_NEAR(throw_at(ellipse, 50, 90.5, 50), 0, 0.05);
  EXPECT_NEAR(throw_at(ellipse, 50, 50, 65), 10 * 0.75 * 0.75, 0.05);
  f.linear = 1;
  const FaultSurface grows(f, false, 0);
  EXPECT_NEAR(throw_at(grows, 50, 50, 50), 5, 0.05);
  EXPECT_NEAR(throw_at(grows, 50, 50, 65), 7.5, 0.05);
  EXPECT_NEAR(throw_at(grows, 50, 50, 85), 10, 0.05);
  EXPECT_NEAR(throw_at(grows, 50, 50, 15), 0, 0.05);
  f.linear = 0, f.drag = 0.6, f.drag_width = 5;
  EXPECT_NEAR(throw_at(FaultSurface(f, false, 0), 50, 50, 50), 4, 0.05);
  f.drag = 0, f.throw_ = -10;
  EXPECT_NEAR(throw_at(FaultSurface(f, false, 0), 50, 50, 50), -10, 0.05);
}

// The labelled place of every sample of the middle line, by the mean crossline; -1: none.
std::vector<double> fault_line(const SyntheticVolume& v) {
  std::vector<double> line;
  for (int64_t z = 0; z < v.samples; ++z) {
    double sum = 0, count = 0;
    for (int64_t x = 0; x < v.crosslines; ++x)
      if (v.label[size_t((v.inlines / 2 * v.crosslines + x) * v.samples + z)]) sum += double(x), count += 1;
    line.push_back(count > 0 ? sum / count : -1);
  }
  return line;
}

SyntheticSeismic one_great_fault(int64_t inlines) {
  SyntheticSeismic o = plain_seismic({.inlines = inlines, .crosslines = 96, .samples = 96, .faults = {1, 1}});
  o.folds = {0, 0}, o.tilt = {0, 0}, o.strike = {0, 0}, o.length = {4, 4}, o.throw_ = {8, 8}, o.dip = {75, 75};
  return o;
}

TEST(SeismicItems, ListricFaultsFlattenWithDepth) {
  SyntheticSeismic o = one_great_fault(1);
  int seen = 0;
  for (const double listric : {0.0, 1.0})
    for (int64_t i = 0; i < 30; ++i) {
      o.listric = listric;
      const std::vector<double> line = fault_line(synthetic_seismic(o, i));
      int64_t from = 0;
      while (from < 96 && line[size_t(from)] < 0) ++from;
      int64_t to = from;
      while (to < 96 && line[size_t(to)] >= 0) ++to;
      if (to - from < 50) continue;
      ++seen;
      const auto at = [&](int64_t z) { return line[size_t(z)]; };
      const double above = std::abs(at(from + 15) - at(from)), below = std::abs(at(to - 1) - at(to - 16));
      if (listric == 0) EXPECT_NEAR(above, below, 1.01);
      else EXPECT_GT(below, above + 3);
    }
  EXPECT_GT(seen, 15);
}

TEST(SeismicItems, CurvedFaultsBendAlongTheirStrike) {
  SyntheticSeismic o = one_great_fault(64);
  o.crosslines = 64, o.samples = 8;
  int bent = 0;
  for (const double curved : {0.0, 1.0})
    for (int64_t i = 0; i < 12; ++i) {
      o.curved = curved;
      const SyntheticVolume v = synthetic_seismic(o, i);
      std::vector<double> across;  // the crossline of the fault in every inline of a time slice
      for (int64_t y = 0; y < 64; ++y) {
        double sum = 0, count = 0;
        for (int64_t x = 0; x < 64; ++x)
          if (v.label[size_t((y * 64 + x) * 8 + 4)]) sum += double(x), count += 1;
        if (count > 0) across.push_back(sum / count);
      }
      if (across.size() < 40) continue;
      const double chord = (across.front() + across.back()) / 2, middle = across[across.size() / 2];
      if (curved == 0) EXPECT_NEAR(middle, chord, 1);
      else bent += std::abs(middle - chord) > 2;
    }
  EXPECT_GT(bent, 3);
}

TEST(SeismicItems, FaultsComeInFamilies) {
  SyntheticSeismic o = one_great_fault(64);
  o.faults = {2, 2}, o.strike = {-60, 60}, o.dip = {50, 80}, o.parallel = 0;
  for (int64_t i = 0; i < 5; ++i) {
    o.conjugate = 1, o.en_echelon = 0;
    std::vector<SyntheticFault> f = synthetic_seismic(o, i).faults;
    ASSERT_EQ(f.size(), 2u);
    EXPECT_NE(f[0].dip > std::numbers::pi / 2, f[1].dip > std::numbers::pi / 2);
    EXPECT_NEAR(f[0].strike, f[1].strike, 0.35);
    o.conjugate = 0, o.en_echelon = 1;
    f = synthetic_seismic(o, i).faults;
    EXPECT_EQ(f[0].dip, f[1].dip);
    EXPECT_EQ(f[0].strike, f[1].strike);
    EXPECT_EQ(f[0].z, f[1].z);
    EXPECT_TRUE(f[0].x != f[1].x || f[0].y != f[1].y);
  }
}

TEST(SeismicItems, TheGridTurnsDips) {
  SyntheticSeismic o = one_great_fault(1);
  o.dip = {60, 60};
  for (const double bin : {0.5, 1.0, 3.0}) {
    o.bin = {bin, bin};
    for (int64_t i = 0; i < 4; ++i) {
      const double dip = synthetic_seismic(o, i).faults[0].dip;
      EXPECT_NEAR(std::min(dip, std::numbers::pi - dip), std::atan(bin * std::sqrt(3.0)), 1e-6);
    }
  }
}

TEST(SeismicItems, UsuallyTwoToEightFaults) {
  SyntheticSeismic o = plain_seismic({.crosslines = 8, .samples = 8});
  int usual = 0, least = 99, most = 0;
  for (int64_t i = 0; i < 400; ++i) {
    const auto n = int(synthetic_seismic(o, i).faults.size());
    usual += n >= 2 && n <= 8, least = std::min(least, n), most = std::max(most, n);
  }
  EXPECT_GT(usual, 260);
  EXPECT_EQ(least, 0);
  EXPECT_GE(most, 12);
  EXPECT_LE(most, 15);
}

// How far rock of a noise-free cube lies apart across the fault at its centre, by the best match of two traces.
TEST(SeismicItems, HorizonsOfACubeAreThrownAsFarAsAsked) {
  for (const double wanted : {4.0, 9.0, 15.0}) {
    SyntheticSeismic o = one_great_fault(32);
    o.crosslines = 40, o.samples = 128, o.dip = {89, 89}, o.strike = {30, 30}, o.layer = {1.5, 5};
    o.throw_ = {wanted, wanted};
    for (int64_t i = 0, seen = 0; seen < 2; ++i) {
      const SyntheticVolume v = synthetic_seismic(o, i);
      const SyntheticFault& f = v.faults[0];
      if (std::abs(f.x - 20) > 8 || std::abs(f.y - 16) > 8 || std::abs(f.z - 64) > 12) continue;
      ++seen;
      const auto trace = [&](double side) {
        const auto x = int64_t(std::lround(f.x + side * std::cos(f.strike))),
                   y = int64_t(std::lround(f.y + side * std::sin(f.strike)));
        return &v.amplitude[size_t((y * 40 + x) * 128)];
      };
      const float *left = trace(-3), *right = trace(3);
      double best = -2;
      int64_t at = 0;
      for (int64_t lag = -25; lag <= 25; ++lag) {
        double ab = 0, aa = 0, bb = 0;
        for (int64_t z = int64_t(f.z) - 24; z <= int64_t(f.z) + 24; ++z) {
          const auto a = double(left[z - lag / 2]), b = double(right[z - lag / 2 + lag]);
          ab += a * b, aa += a * a, bb += b * b;
        }
        if (const double match = ab / std::sqrt(aa * bb + 1e-9); match > best) best = match, at = lag;
      }
      EXPECT_NEAR(std::abs(double(at)), wanted, 0.1 * wanted + 1);
    }
  }
}

TEST(SeismicItems, WaveletsHaveThePeriodAndThePhaseAskedFor) {
  for (const double period : {4.0, 8.0, 20.0})
    for (const bool ormsby : {false, true}) {
      WaveletShape shape{.period = period};
      if (ormsby) shape.corners[0] = 0.3, shape.corners[1] = 0.7, shape.corners[2] = 1.3, shape.corners[3] = 1.9;
      const auto half = int64_t(1.5 * period) + 2;
      const std::vector<float> zero = wavelet_of(shape, half);
      EXPECT_EQ(zero.size(), size_t(2 * half + 1));
      EXPECT_NEAR(zero[size_t(half)], 1, 1e-5);
      shape.phase = std::numbers::pi;
      const std::vector<float> turned = wavelet_of(shape, half);
      shape.phase = std::numbers::pi / 2;
      const std::vector<float> quarter = wavelet_of(shape, half);
      for (int64_t k = 0; k <= half; ++k) {
        EXPECT_NEAR(zero[size_t(half - k)], zero[size_t(half + k)], 1e-5);
        EXPECT_NEAR(zero[size_t(half - k)], -turned[size_t(half - k)], 1e-5);
        EXPECT_NEAR(quarter[size_t(half - k)], -quarter[size_t(half + k)], 1e-5);
      }
      PowerSpectrum spectrum(256);
      spectrum.add(zero);
      const std::vector<double> power = spectrum.mean();
      const double peak = double(std::max_element(power.begin(), power.end()) - power.begin()) / 256;
      EXPECT_NEAR(peak * period, 1, ormsby ? 0.45 : 0.25) << period;
    }
}

TEST(SeismicItems, TheDrawnPeriodOrFrequencyIsTold) {
  SyntheticSeismic o = small_volume(1);
  o.period = {5, 6};
  const double hertz = synthetic_seismic(o, 0).frequency, period = 1e6 / (hertz * o.interval);
  EXPECT_TRUE(period >= 5 && period <= 6) << period;
  o.frequency = {30, 31};
  const double asked = synthetic_seismic(o, 0).frequency;
  EXPECT_TRUE(asked >= 30 && asked <= 31) << asked;
}

TEST(SeismicItems, ACubesMiddleInlineLooksLikeASection) {
  double labels[2] = {}, alike[2] = {};
  constexpr int64_t kVolumes = 24, X = 64, Z = 64;
  for (const int which : {0, 1}) {
    SyntheticSeismic o{.inlines = which ? 24 : 1, .crosslines = X, .samples = Z};
    o.strike = {-50, 50};  // as in sections
    for (int64_t i = 0; i < kVolumes; ++i) {
      const SyntheticVolume v = synthetic_seismic(o, i);
      const auto from = size_t(v.inlines / 2 * X * Z);
      double next = 0, same = 0;
      for (size_t k = 0; k < size_t(X * Z); ++k) labels[which] += double(v.label[from + k]) / double(kVolumes * X * Z);
      for (size_t k = 0; k + Z < size_t(X * Z); ++k) {
        next += double(v.amplitude[from + k]) * double(v.amplitude[from + k + Z]);
        same += double(v.amplitude[from + k]) * double(v.amplitude[from + k]);
      }
      alike[which] += next / same / kVolumes;
    }
  }
  EXPECT_LT(labels[1], 2 * labels[0]);
  EXPECT_GT(labels[1], labels[0] / 2);
  EXPECT_NEAR(alike[0], alike[1], 0.15);  // from trace to trace
}

TEST(SeismicItems, AllOfItAtAnySize) {
  SyntheticSeismic o;
  o.faults = {15, 15}, o.noise_width = {3, 3};
  for (Chance c :
       {&SyntheticSeismic::unconformity, &SyntheticSeismic::channels, &SyntheticSeismic::chaos,
        &SyntheticSeismic::bright, &SyntheticSeismic::salt, &SyntheticSeismic::chimney, &SyntheticSeismic::footprint,
        &SyntheticSeismic::smiles, &SyntheticSeismic::ground_roll, &SyntheticSeismic::decay, &SyntheticSeismic::seam,
        &SyntheticSeismic::agc, &SyntheticSeismic::stripes, &SyntheticSeismic::mute, &SyntheticSeismic::dead,
        &SyntheticSeismic::holes, &SyntheticSeismic::noise_dip, &SyntheticSeismic::listric, &SyntheticSeismic::curved})
    o.*c = 1;
  for (const int64_t inlines : {1, 2, 5})
    for (const int64_t crosslines : {1, 3, 30})
      for (const int64_t samples : {1, 2, 40}) {
        o.inlines = inlines, o.crosslines = crosslines, o.samples = samples;
        for (int64_t i = 0; i < 4; ++i)
          for (const float a : synthetic_seismic(o, i).amplitude) ASSERT_TRUE(std::isfinite(a));
      }
  // Far more slip than a volume has room for.
  o.inlines = 4, o.crosslines = 16, o.samples = 16, o.faults = {100, 100}, o.throw_ = {1000, 1000}, o.dip = {10, 90};
  o.fold_height = {-1e4, 1e4}, o.folds = {100, 100}, o.tilt = {-10, 10};
  for (const float a : synthetic_seismic(o, 0).amplitude) ASSERT_TRUE(std::isfinite(a));
}

TEST(SeismicItems, EveryOptionIsChecked) {
  const auto refusal = [](const SyntheticSeismic& o) {
    try {
      check_options(o);
    } catch (const Error& e) {
      return e.sentence();
    }
    return std::string();
  };
  const std::pair<const char*, Chance> chances[] = {{"parallel", &SyntheticSeismic::parallel},
                                                    {"conjugate", &SyntheticSeismic::conjugate},
                                                    {"en_echelon", &SyntheticSeismic::en_echelon},
                                                    {"linear", &SyntheticSeismic::linear},
                                                    {"listric", &SyntheticSeismic::listric},
                                                    {"curved", &SyntheticSeismic::curved},
                                                    {"unconformity", &SyntheticSeismic::unconformity},
                                                    {"onlap", &SyntheticSeismic::onlap},
                                                    {"channels", &SyntheticSeismic::channels},
                                                    {"chaos", &SyntheticSeismic::chaos},
                                                    {"bright", &SyntheticSeismic::bright},
                                                    {"salt", &SyntheticSeismic::salt},
                                                    {"chimney", &SyntheticSeismic::chimney},
                                                    {"ormsby", &SyntheticSeismic::ormsby},
                                                    {"noise_dip", &SyntheticSeismic::noise_dip},
                                                    {"footprint", &SyntheticSeismic::footprint},
                                                    {"smiles", &SyntheticSeismic::smiles},
                                                    {"ground_roll", &SyntheticSeismic::ground_roll},
                                                    {"decay", &SyntheticSeismic::decay},
                                                    {"seam", &SyntheticSeismic::seam},
                                                    {"agc", &SyntheticSeismic::agc},
                                                    {"stripes", &SyntheticSeismic::stripes},
                                                    {"mute", &SyntheticSeismic::mute},
                                                    {"dead", &SyntheticSeismic::dead},
                                                    {"holes", &SyntheticSeismic::holes}};
  for (const auto& [name, c] : chances)
    for (const double v : {-0.1, 1.5, std::nan("")}) {
      SyntheticSeismic o;
      o.*c = v;
      EXPECT_EQ(refusal(o).find(std::string(name) + " is "), 0u) << name << ": " << refusal(o);
    }
  const std::pair<const char*, Range SyntheticSeismic::*> ranges[] = {{"bin", &SyntheticSeismic::bin},
                                                                      {"facies", &SyntheticSeismic::facies},
                                                                      {"drag", &SyntheticSeismic::drag},
                                                                      {"damage", &SyntheticSeismic::damage},
                                                                      {"period", &SyntheticSeismic::period},
                                                                      {"phase", &SyntheticSeismic::phase},
                                                                      {"absorption", &SyntheticSeismic::absorption},
                                                                      {"smear", &SyntheticSeismic::smear},
                                                                      {"noise", &SyntheticSeismic::noise},
                                                                      {"throw", &SyntheticSeismic::throw_}};
  for (const auto& [name, r] : ranges)
    for (const Range v : {Range{2, 1}, Range{-1e9, 0}, Range{0, 1e9}, Range{std::nan(""), 1}}) {
      SyntheticSeismic o;
      o.*r = v;
      EXPECT_EQ(refusal(o).find(std::string(name) + " goes from "), 0u) << name << ": " << refusal(o);
    }
  SyntheticSeismic o;
  o.parallel = 0.6, o.conjugate = 0.6;
  EXPECT_NE(refusal(o).find("expected at most 1"), std::string::npos);
  EXPECT_EQ(refusal({}), "");
}

}  // namespace
}  // namespace kern::data
