// Learning-rate schedules. All but plateau depend on the step alone, so a resumed run needs nothing but its step.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kern::training {

enum class ScheduleKind { constant, poly, cosine, plateau, step, one_cycle };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::poly;
  double lr = 1e-3;     // of the first step after the warm-up; one_cycle: the highest
  int64_t steps = 1;    // of the whole training
  int64_t warmup = 0;   // steps of linear rise from lr / warmup to lr
  double power = 0.9;   // poly: lr (1 - t)^power, t from 0 to 1 (Chen et al. 2017)
  double factor = 0.5;  // plateau: lr is multiplied by this ...
  int patience = 5;     // ... after more than this many validations without improvement
  double final_lr = 0;  // cosine and plateau do not fall below it
  // step: lr is multiplied by gamma at each of these updates (rising), and at every multiple of `every` (0: none).
  std::vector<int64_t> milestones;
  int64_t every = 0;
  double gamma = 0.1;
  // one_cycle (Smith and Topin 2017, as torch.optim.lr_scheduler.OneCycleLR): from lr / start_divisor up to lr within
  // this share of the training, then down to lr / start_divisor / end_divisor, both along a cosine. It has no other
  // warm-up.
  double rise = 0.3, start_divisor = 25, end_divisor = 1e4;
};

class Schedule {
 public:
  // Errors: a learning rate that is not positive, factor, gamma or rise outside (0, 1), negative counts.
  explicit Schedule(const ScheduleOptions& options);
  double lr(int64_t step) const;  // of the step-th update, from 0
  double base_lr() const { return o_.lr; }
  void observe(double validation_loss);  // plateau only; the others ignore it

  // plateau's memory, for checkpoints: best loss, validations since, factor so far.
  std::vector<double> state() const { return {best_, double(waited_), scale_}; }
  void restore(const std::vector<double>& state);

 private:
  ScheduleOptions o_;
  double best_, scale_ = 1;
  int waited_ = 0;
};

}  // namespace kern::training
