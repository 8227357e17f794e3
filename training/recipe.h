// How a network is trained, whatever it is trained on: the keys of optimiser, schedule, length and stopping that every
// `train` has, and what they make.
#pragma once
#include <vector>

#include "training/config.h"
#include "training/loop.h"
#include "training/optimiser.h"
#include "training/schedule.h"

namespace kern::training {

enum class OptimiserKind { adam, adamw, sgd };
enum class SyncBatchNorm { automatic, on, off };

struct Recipe {
  int epochs = 20;
  int batch = 16, accumulate = 1;
  OptimiserKind optimiser = OptimiserKind::adam;
  double lr = 1e-3, weight_decay = 0, clip = 0, momentum = 0.9;
  bool nesterov = false;
  ScheduleKind schedule = ScheduleKind::poly;
  int warmup = 0;
  std::vector<int> schedule_milestones;
  int schedule_every = 0;
  double schedule_gamma = ScheduleOptions{}.gamma, schedule_rise = ScheduleOptions{}.rise;
  double ema = 0;
  SyncBatchNorm sync_batch_norm = SyncBatchNorm::automatic;
  int64_t seed = 1;
  int patience = 0;
  Duration time_budget, checkpoint_every{60};
  bool force = false;
  Logger logger = Logger::csv;
  Histograms log_histograms = Histograms::none;
  bool log_images = true;

  // Of several ranks, whether batch norms take their statistics over all ranks' samples.
  bool syncs_batch_norm(int ranks) const;
  Optimiser make_optimiser(std::vector<ParameterGroup> groups) const;
  Schedule make_schedule(int64_t updates_in_epoch) const;  // Error when its keys do not fit together
  LoopOptions loop_options() const;
};

// `things` is what an epoch passes over and a batch holds: "windows", "images". Two sections; a task describes further
// keys after each.
void describe_training(Schema& keys, Recipe& recipe, const std::string& things);
void describe_stopping(Schema& keys, Recipe& recipe);

}  // namespace kern::training
