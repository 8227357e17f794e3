#include "data/fault_surfaces.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

constexpr double kDegrees = std::numbers::pi / 180;

// The unit normal of a plane of this dip and azimuth (both in samples), pointing down.
std::array<double, 3> normal_of(double dip, double azimuth) {
  return {-std::sin(dip * kDegrees) * std::cos(azimuth * kDegrees),
          -std::sin(dip * kDegrees) * std::sin(azimuth * kDegrees), std::cos(dip * kDegrees)};
}

struct Plane {
  std::array<double, 3> normal, through;
  double distance(double i, double x, double z) const {
    return normal[0] * (i - through[0]) + normal[1] * (x - through[1]) + normal[2] * (z - through[2]);
  }
};

// Probability 1 within `core` samples of a plane, falling off beyond like a Gaussian of deviation 1.5.
std::vector<float> probability_of(const Block& b, const std::vector<Plane>& planes, double core = 0) {
  std::vector<float> p(size_t(b.size()), 0.0f);
  for (int64_t i = 0; i < b.inlines; ++i)
    for (int64_t x = 0; x < b.crosslines; ++x)
      for (int64_t z = 0; z < b.samples; ++z)
        for (const Plane& plane : planes) {
          const double d = std::max(0.0, std::abs(plane.distance(double(i), double(x), double(z))) - core);
          float& v = p[size_t(b.index(i, x, z))];
          v = std::max(v, float(std::exp(-0.5 * d * d / 2.25)));
        }
  return p;
}

TEST(FaultSurfaces, NormalsDipsAndAzimuthsOfPlanes) {
  const Block b{32, 36, 40};
  for (const auto& [dip, azimuth] : std::vector<std::pair<double, double>>{{60, 90}, {75, 200}, {45, 310}, {85, 10}}) {
    const Plane plane{normal_of(dip, azimuth), {16, 18, 20}};
    const auto normals = fault_normals(probability_of(b, {plane}), b);
    int looked_at = 0;
    for (int64_t i = 8; i < 24; ++i)
      for (int64_t x = 8; x < 28; ++x)
        for (int64_t z = 8; z < 32; ++z) {
          if (std::abs(plane.distance(double(i), double(x), double(z))) > 1) continue;
          const Normal& n = normals[size_t(b.index(i, x, z))];
          ++looked_at;
          ASSERT_NEAR(dip_of(n, {}), dip, 1.5) << i << ' ' << x << ' ' << z;
          ASSERT_NEAR(azimuth_of(n, {}), azimuth, 2.0) << i << ' ' << x << ' ' << z;
        }
    EXPECT_GT(looked_at, 200);
  }
}

TEST(FaultSurfaces, NormalsOnlyWhereTheyAreWanted) {
  // Widths that do not fill the pieces that smoothing works in; a section has no direction across.
  for (const Block& b : {Block{1, 30, 65}, Block{3, 20, 129}, Block{4, 9, 1}}) {
    const auto p = probability_of(b, {{normal_of(60, 90), {0, 10, 20}}});
    const auto all = fault_normals(p, b), some = fault_normals(p, b, 3, 0.5f);
    for (size_t i = 0; i < p.size(); ++i) {
      ASSERT_EQ(some[i], p[i] >= 0.5f ? all[i] : Normal{});
      if (b.inlines == 1) {
        ASSERT_EQ(all[i][0], 0);
      }
    }
  }
}

TEST(FaultSurfaces, DipsAreInMetres) {
  const Normal n{0, float(std::sqrt(0.5)), float(std::sqrt(0.5))};  // 45 degrees in samples
  EXPECT_NEAR(dip_of(n, {}), 45, 1e-4);
  EXPECT_NEAR(dip_of(n, {25, 25, 5}), std::atan(5.0 / 25) / kDegrees, 1e-4);
  EXPECT_NEAR(azimuth_of(n, {25, 12.5, 5}), 270, 1e-4);
  EXPECT_TRUE(std::isnan(azimuth_of(Normal{0, 0, 1}, {})));
  EXPECT_NEAR(dip_of(Normal{0, 0, 1}, {}), 0, 1e-9);
}

TEST(FaultSurfaces, ThinningLeavesOneSampleAcrossTheFaultEvenOfAPlateau) {
  for (const double core : {0.0, 2.5}) {
    const Block b{1, 64, 64};
    const Plane plane{normal_of(70, 90), {0, 32, 32}};
    const auto p = probability_of(b, {plane}, core);
    const auto thinned = thin_faults(p, b, fault_normals(p, b), 0.5f);
    for (int64_t z = 6; z < 58; ++z) {
      int kept = 0;
      for (int64_t x = 6; x < 58; ++x)
        if (const float v = thinned[size_t(b.index(0, x, z))]; v > 0) {
          ++kept;
          EXPECT_EQ(v, p[size_t(b.index(0, x, z))]);  // a kept sample keeps its probability
          EXPECT_LE(std::abs(plane.distance(0, double(x), double(z))), 1.0);
        }
      EXPECT_GE(kept, 1) << "row " << z << " core " << core;
      EXPECT_LE(kept, 2) << "row " << z << " core " << core;
    }
  }
}

TEST(FaultSurfaces, NothingIsFoundWhereNothingIs) {
  const Block b{3, 9, 11};
  const std::vector<float> same(size_t(b.size()), 0.7f);
  const auto normals = fault_normals(same, b);
  for (const Normal& n : normals) ASSERT_EQ(n, Normal{});
  for (const float v : thin_faults(same, b, normals, 0.5f)) ASSERT_EQ(v, 0);
  EXPECT_TRUE(fault_normals({}, {0, 5, 5}).empty());
  EXPECT_TRUE(fault_pieces({}, {0, 5, 5}, 1).empty());
}

TEST(FaultSurfaces, PiecesTouchByCornersAndAreNumberedBySize) {
  const Block b{2, 5, 6};
  std::vector<float> v(size_t(b.size()), 0.0f);
  auto set = [&](int64_t i, int64_t x, int64_t z) { v[size_t(b.index(i, x, z))] = 0.9f; };
  set(0, 0, 0), set(1, 1, 1), set(0, 2, 2);                // by corners: one piece of 3
  set(0, 4, 0), set(0, 4, 1), set(0, 4, 2), set(1, 4, 3);  // 4
  set(1, 2, 5);                                            // 1: too small
  const auto pieces = fault_pieces(v, b, 2);
  EXPECT_EQ(pieces[size_t(b.index(0, 4, 0))], 1);
  EXPECT_EQ(pieces[size_t(b.index(1, 4, 3))], 1);
  EXPECT_EQ(pieces[size_t(b.index(0, 0, 0))], 2);
  EXPECT_EQ(pieces[size_t(b.index(1, 1, 1))], 2);
  EXPECT_EQ(pieces[size_t(b.index(0, 2, 2))], 2);
  EXPECT_EQ(pieces[size_t(b.index(1, 2, 5))], 0);
  EXPECT_EQ(std::count(pieces.begin(), pieces.end(), 0), b.size() - 7);
}

// A U joins late: pieces begun apart become one.
TEST(FaultSurfaces, PiecesThatMeetLaterAreOne) {
  const Block b{1, 5, 5};
  std::vector<float> v(25, 0.0f);
  for (int64_t z = 0; z < 5; ++z) v[size_t(b.index(0, 0, z))] = v[size_t(b.index(0, 4, z))] = 1;
  for (int64_t x = 0; x < 5; ++x) v[size_t(b.index(0, x, 4))] = 1;
  const auto pieces = fault_pieces(v, b, 1);
  EXPECT_EQ(std::set<int32_t>(pieces.begin(), pieces.end()), (std::set<int32_t>{0, 1}));
}

TEST(FaultSurfaces, SticksFollowThePlane) {
  const Block b{24, 40, 40};
  // One that strikes along inlines' direction (seen best on inlines), one across.
  const std::vector<Plane> planes{{normal_of(70, 90), {12, 10, 20}}, {normal_of(65, 0), {12, 30, 20}}};
  for (const Plane& plane : planes) {
    const auto p = probability_of(b, {plane});
    const auto normals = fault_normals(p, b);
    const auto pieces = fault_pieces(thin_faults(p, b, normals, 0.5f), b, 50);
    const auto sticks = fault_sticks(pieces, b, normals, 4);
    ASSERT_GE(sticks.size(), 6u);
    const bool on_inlines = &plane == &planes[0];
    for (const FaultStick& stick : sticks) {
      EXPECT_EQ(stick.piece, 1);
      ASSERT_GE(stick.points.size(), 2u);
      EXPECT_LE(stick.points.size(), 4u);  // a plane: little more than its ends
      for (const auto& q : stick.points) {
        EXPECT_LE(std::abs(plane.distance(q[0], q[1], q[2])), 1.2);
        EXPECT_EQ(std::fmod(on_inlines ? q[0] : q[1], 4), 0);
      }
      EXPECT_LT(stick.points.front()[2], stick.points.back()[2]);
    }
  }
}

TEST(FaultSurfaces, SticksAreWrittenAsXYZAndNumber) {
  const std::vector<FaultStick> sticks{{1, {{0, 1, 2}, {0, 2, 4}}}, {2, {{4, 1, 2}, {4, 1, 3}}}};
  const fs::path path = fs::path(::testing::TempDir()) / "sticks.txt";
  write_fault_sticks(path, sticks, [](const auto& p) {
    return std::array{1000 + 25 * p[0], 2000 + 25 * p[1], 4 * p[2]};
  });
  EXPECT_EQ(read_file(path),
            "1000.00 2025.00 8.000 1\n1000.00 2050.00 16.000 1\n1100.00 2025.00 8.000 2\n1100.00 2025.00 12.000 2\n");
}

TEST(FaultSurfaces, ThreadsChangeNothing) {
  const Block b{6, 40, 33};
  const auto p = probability_of(b, {{normal_of(60, 70), {3, 20, 16}}}, 1);
  const int before = thread_count();
  set_thread_count(1);
  const auto one = thin_faults(p, b, fault_normals(p, b), 0.3f);
  set_thread_count(3);
  const auto three = thin_faults(p, b, fault_normals(p, b), 0.3f);
  set_thread_count(before);
  EXPECT_EQ(one, three);
}

TEST(FaultSurfaces, SizesMustAgree) {
  const std::vector<float> v(10);
  try {
    fault_normals(v, {1, 3, 4});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("a block of 1 x 3 x 4 samples needs as many values, got 10"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace kern::data
