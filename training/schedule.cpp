#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

// From a to b along half a cosine, t from 0 to 1.
double cosine(double a, double b, double t) { return b + (a - b) * 0.5 * (1 + std::cos(M_PI * t)); }

double one_cycle(const ScheduleOptions& o, int64_t step) {
  const double start = o.lr / o.start_divisor, end = start / o.end_divisor;
  const double last = double(std::max<int64_t>(1, o.steps)) - 1, top = o.rise * (last + 1) - 1,
               at = std::min(double(step), last);
  if (at <= top && top > 0) return cosine(start, o.lr, at / top);
  return cosine(o.lr, end, (at - top) / (last - top));
}

double step_scale(const ScheduleOptions& o, int64_t step) {
  int64_t falls = std::upper_bound(o.milestones.begin(), o.milestones.end(), step) - o.milestones.begin();
  if (o.every > 0) falls += step / o.every;
  return std::pow(o.gamma, double(falls));
}

}  // namespace

Schedule::Schedule(const ScheduleOptions& options) : o_(options), best_(std::numeric_limits<double>::max()) {
  check(o_.lr > 0 && std::isfinite(o_.lr), "lr must be greater than 0, got ", o_.lr);
  check(o_.steps >= 0 && o_.warmup >= 0 && o_.patience >= 0,
        "a schedule's steps, warm-up and patience must not be negative");
  check(o_.factor > 0 && o_.factor < 1, "a plateau schedule's factor must lie between 0 and 1, got ", o_.factor);
  check(o_.gamma > 0 && o_.gamma < 1, "a step schedule's gamma must lie between 0 and 1, got ", o_.gamma);
  check(o_.every >= 0 && std::is_sorted(o_.milestones.begin(), o_.milestones.end()) &&
            (o_.milestones.empty() || o_.milestones[0] >= 0),
        "a step schedule's milestones must rise and not be negative");
  check(o_.kind != ScheduleKind::step || o_.every > 0 || !o_.milestones.empty(),
        "a step schedule needs milestones, or a number of updates after which it falls every time");
  check(o_.rise > 0 && o_.rise < 1 && o_.start_divisor >= 1 && o_.end_divisor >= 1,
        "a one-cycle schedule's rise must lie between 0 and 1 and its divisors be at least 1");
  check(o_.kind != ScheduleKind::one_cycle || o_.warmup == 0,
        "a one-cycle schedule rises by itself: leave warmup at 0, and set the share of its rise");
}

double Schedule::lr(int64_t step) const {
  if (step < o_.warmup) return o_.lr * double(step + 1) / double(o_.warmup);
  const double t = std::clamp(double(step - o_.warmup) / double(std::max<int64_t>(1, o_.steps - o_.warmup)), 0.0, 1.0);
  switch (o_.kind) {
    case ScheduleKind::constant:
      return o_.lr;
    case ScheduleKind::poly:
      return o_.lr * std::pow(1 - t, o_.power);
    case ScheduleKind::cosine:
      return cosine(o_.lr, o_.final_lr, t);
    case ScheduleKind::plateau:
      return std::max(o_.final_lr, o_.lr * scale_);
    case ScheduleKind::step:
      return o_.lr * step_scale(o_, step);
    case ScheduleKind::one_cycle:
      return one_cycle(o_, step);
  }
  throw InternalError("a schedule of no kind");
}

void Schedule::observe(double validation_loss) {
  if (validation_loss < best_ * (1 - 1e-4)) {
    best_ = validation_loss;
    waited_ = 0;
  } else if (++waited_ > o_.patience) {
    scale_ *= o_.factor;
    waited_ = 0;
  }
}

void Schedule::restore(const std::vector<double>& state) {
  check(state.size() == 3, "the checkpoint's schedule has ", state.size(), " values instead of 3");
  best_ = state[0];
  waited_ = int(state[1]);
  scale_ = state[2];
}

}  // namespace kern::training
