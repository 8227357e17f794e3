#include "training/recipe.h"

namespace kern::training {

bool Recipe::syncs_batch_norm(int ranks) const {
  constexpr int kEnough = 8;
  return ranks > 1 && (sync_batch_norm == SyncBatchNorm::on ||
                       (sync_batch_norm == SyncBatchNorm::automatic && batch < kEnough * ranks));
}

Optimiser Recipe::make_optimiser(std::vector<ParameterGroup> groups) const {
  Optimiser::Rule rule = AdamOptions{.weight_decay = weight_decay, .decoupled = optimiser == OptimiserKind::adamw};
  if (optimiser == OptimiserKind::sgd)
    rule = SgdOptions{.momentum = momentum, .weight_decay = weight_decay, .nesterov = nesterov};
  return Optimiser(std::move(groups), rule, lr);
}

Schedule Recipe::make_schedule(int64_t updates_in_epoch) const {
  check(schedule != ScheduleKind::step || schedule_every > 0 || !schedule_milestones.empty(),
        "schedule=step needs schedule_milestones= or schedule_every=, the epochs after which the learning rate falls");
  ScheduleOptions o{.kind = schedule, .lr = lr, .steps = updates_in_epoch * epochs, .warmup = warmup};
  for (const int epoch : schedule_milestones) o.milestones.push_back(epoch * updates_in_epoch);
  o.every = schedule_every * updates_in_epoch;
  o.gamma = schedule_gamma;
  o.rise = schedule_rise;
  return Schedule(o);
}

LoopOptions Recipe::loop_options() const {
  return {.epochs = epochs,
          .patience = patience,
          .time_budget = time_budget.seconds,
          .checkpoint_every = checkpoint_every.seconds,
          .logger = logger,
          .histograms = log_histograms,
          .images = log_images};
}

void describe_training(Schema& keys, Recipe& r, const std::string& things) {
  const Allowed share{.low = 0, .high = 1, .open_high = true},
      inside{.low = 0, .high = 1, .open_low = true, .open_high = true};
  keys.section("Training")
      .key("epochs", r.epochs, "passes over the training " + things, between(1, 1000000))
      .key("batch", r.batch, things + " in a batch", between(1, 65536))
      .key("accumulate", r.accumulate, "batches that make one update", between(1, 65536))
      .choice("optimiser", r.optimiser, "adamw decouples the weight decay",
              {{"adam", OptimiserKind::adam}, {"adamw", OptimiserKind::adamw}, {"sgd", OptimiserKind::sgd}})
      .key("lr", r.lr, "learning rate", above(0))
      .key("momentum", r.momentum, "of sgd", share)
      .key("nesterov", r.nesterov, "sgd looks ahead by its momentum")
      .choice("schedule", r.schedule,
              "of the learning rate: poly falls as (1 - t)^0.9, plateau halves after 5 epochs without gain, step falls "
              "at certain epochs, one_cycle rises from lr / 25 to lr and falls to nearly nothing",
              {{"poly", ScheduleKind::poly},
               {"cosine", ScheduleKind::cosine},
               {"plateau", ScheduleKind::plateau},
               {"step", ScheduleKind::step},
               {"one_cycle", ScheduleKind::one_cycle},
               {"constant", ScheduleKind::constant}})
      .key("warmup", r.warmup, "updates in which the learning rate rises first", at_least(0))
      .key("schedule_milestones", r.schedule_milestones, "step: after these epochs the learning rate falls",
           at_least(0))
      .key("schedule_every", r.schedule_every, "step: and each time after this many epochs; 0: not", at_least(0))
      .key("schedule_gamma", r.schedule_gamma, "step: what it is multiplied by then", inside)
      .key("schedule_rise", r.schedule_rise, "one_cycle: share of the training in which it rises", inside)
      .key("ema", r.ema,
           "an average of the weights over the updates validates and is saved; its decay, e.g. 0.999; 0: no average",
           share)
      .key("weight_decay", r.weight_decay, "pull of the weights towards 0", at_least(0))
      .key("clip", r.clip, "limit of the gradient's norm; 0: none", at_least(0))
      .choice("sync_batch_norm", r.sync_batch_norm,
              "of several ranks (mpirun): batch norms take their statistics over all ranks' samples, on the CPU; auto: "
              "where a "
              "rank has fewer than 8 of a batch",
              {{"auto", SyncBatchNorm::automatic}, {"on", SyncBatchNorm::on}, {"off", SyncBatchNorm::off}})
      .key("seed", r.seed, "of initial weights, order, augmentation and split; equal seeds give equal files",
           at_least(0));
}

void describe_stopping(Schema& keys, Recipe& r) {
  keys.section("Stopping and saving")
      .key("patience", r.patience, "end after this many epochs without a better one; 0: never", at_least(0))
      .key("time_budget", r.time_budget, "end after this long, e.g. 20m; 0: no limit")
      .key("checkpoint_every", r.checkpoint_every,
           "between checkpoints inside an epoch; one follows every epoch anyway")
      .key("force", r.force, "train although a step is foreseen to need more memory than there is")
      .choice("logger", r.logger,
              "csv: figures of every epoch in metrics.csv; tensorboard: also as event files, in the run folder's "
              "tensorboard/",
              {{"csv", Logger::csv}, {"tensorboard", Logger::tensorboard}})
      .choice(
          "log_histograms", r.log_histograms,
          "tensorboard: how values are spread after every epoch; gradients: the weights', and the gradients' of its "
          "last update before clip",
          {{"none", Histograms::none}, {"weights", Histograms::weights}, {"gradients", Histograms::gradients}})
      .key("log_images", r.log_images, "tensorboard: the panels of every epoch, of tasks that draw them");
}

}  // namespace kern::training
