#include "training/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

TEST(Schedule, poly_and_cosine_and_warm_up) {
  const Schedule poly({.kind = ScheduleKind::poly, .lr = 2.5e-4, .steps = 100});
  EXPECT_DOUBLE_EQ(poly.lr(0), 2.5e-4);
  EXPECT_DOUBLE_EQ(poly.lr(50), 2.5e-4 * std::pow(0.5, 0.9));
  EXPECT_DOUBLE_EQ(poly.lr(100), 0);
  EXPECT_DOUBLE_EQ(poly.lr(1000), 0);
  const Schedule cosine({.kind = ScheduleKind::cosine, .lr = 1, .steps = 110, .warmup = 10, .final_lr = 0.1});
  EXPECT_DOUBLE_EQ(cosine.lr(0), 0.1);
  EXPECT_DOUBLE_EQ(cosine.lr(9), 1);
  EXPECT_DOUBLE_EQ(cosine.lr(10), 1);
  EXPECT_NEAR(cosine.lr(60), 0.55, 1e-12);
  EXPECT_NEAR(cosine.lr(110), 0.1, 1e-12);
}

TEST(Schedule, plateau_halves_and_resumes) {
  Schedule s({.kind = ScheduleKind::plateau, .lr = 1, .factor = 0.5, .patience = 1});
  s.observe(3);
  s.observe(3);
  EXPECT_EQ(s.lr(5), 1);
  Schedule resumed({.kind = ScheduleKind::plateau, .lr = 1, .factor = 0.5, .patience = 1});
  resumed.restore(s.state());
  s.observe(3);
  resumed.observe(3);
  EXPECT_EQ(s.lr(5), 0.5);
  EXPECT_EQ(resumed.lr(5), 0.5);
  s.observe(1);
  s.observe(2);
  EXPECT_EQ(s.lr(5), 0.5);
}

TEST(Schedule, refuses_nonsense) {
  EXPECT_THROW(Schedule({.lr = -1}), Error);
  EXPECT_THROW(Schedule({.lr = NAN}), Error);
  EXPECT_THROW(Schedule({.factor = 2}), Error);
}

}  // namespace
}  // namespace kern::training
