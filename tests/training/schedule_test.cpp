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

// The rates that torch.optim.lr_scheduler gives.
void expect_rates(const ScheduleOptions& options, const std::vector<double>& expected) {
  const Schedule schedule(options);
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(schedule.lr(int64_t(i)), expected[i], 1e-9 * expected[i]) << "update " << i;
}

TEST(Schedule, one_cycle_is_pytorchs) {  // OneCycleLR(max_lr=0.02, total_steps=20)
  expect_rates(
      {.kind = ScheduleKind::one_cycle, .lr = 0.02, .steps = 20},
      {0.0008,         0.002633436854, 0.007433436854, 0.01336656315,   0.01816656315,   0.02,       0.01974928012,
       0.01900969264,  0.01781832355,  0.01623491308,  0.01433886004,   0.01222524044,   0.01000004, 0.007774839561,
       0.005661219964, 0.003765166921, 0.002181756449, 0.0009903873597, 0.0002507998753, 8e-08,      8e-08});
  for (int64_t steps : {1, 2, 3, 4}) {
    const Schedule brief({.kind = ScheduleKind::one_cycle, .lr = 1, .steps = steps});
    for (int64_t i = 0; i <= steps; ++i) {
      EXPECT_GT(brief.lr(i), 0) << steps;
      EXPECT_LE(brief.lr(i), 1) << steps;
    }
  }
}

TEST(Schedule, step_is_pytorchs) {
  // MultiStepLR(milestones=[3, 5, 5, 9], gamma=0.2), StepLR(4, gamma=0.5)
  expect_rates({.kind = ScheduleKind::step, .lr = 0.1, .milestones = {3, 5, 5, 9}, .gamma = 0.2},
               {0.1, 0.1, 0.1, 0.02, 0.02, 0.0008, 0.0008, 0.0008, 0.0008, 0.00016, 0.00016, 0.00016});
  expect_rates({.kind = ScheduleKind::step, .lr = 0.1, .every = 4, .gamma = 0.5},
               {0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025});
  expect_rates({.kind = ScheduleKind::step, .lr = 1, .warmup = 2, .milestones = {3}, .every = 3, .gamma = 0.5},
               {0.5, 1, 1, 0.25, 0.25, 0.25, 0.125});
}

TEST(Schedule, refuses_nonsense) {
  EXPECT_THROW(Schedule({.kind = ScheduleKind::step}), Error);
  EXPECT_THROW(Schedule({.kind = ScheduleKind::step, .milestones = {5, 3}}), Error);
  EXPECT_THROW(Schedule({.kind = ScheduleKind::step, .every = 3, .gamma = 1}), Error);
  EXPECT_THROW(Schedule({.kind = ScheduleKind::one_cycle, .warmup = 3}), Error);
  EXPECT_THROW(Schedule({.kind = ScheduleKind::one_cycle, .rise = 1}), Error);

  EXPECT_THROW(Schedule({.lr = -1}), Error);
  EXPECT_THROW(Schedule({.lr = NAN}), Error);
  EXPECT_THROW(Schedule({.factor = 2}), Error);
}

}  // namespace
}  // namespace kern::training
