#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/common/error.h"

namespace kern::training {

Schedule::Schedule(const ScheduleOptions& options) : o_(options), best_(std::numeric_limits<double>::max()) {
  check(o_.lr > 0 && std::isfinite(o_.lr), "lr must be greater than 0, got ", o_.lr);
  check(o_.steps >= 0 && o_.warmup >= 0 && o_.patience >= 0,
        "a schedule's steps, warm-up and patience must not be negative");
  check(o_.factor > 0 && o_.factor < 1, "a plateau schedule's factor must lie between 0 and 1, got ", o_.factor);
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
      return o_.final_lr + (o_.lr - o_.final_lr) * 0.5 * (1 + std::cos(M_PI * t));
    case ScheduleKind::plateau:
      return std::max(o_.final_lr, o_.lr * scale_);
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
