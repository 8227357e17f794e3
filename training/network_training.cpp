#include "training/network_training.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/communicator.h"
#include "engine/random.h"
#include "engine/rank_sums.h"
#include "kernels/common/log.h"
#include "training/rank_share.h"

namespace kern::training {
namespace {

Method method_of(const TrainedNetwork& what, Optimiser& optimiser) {
  const auto there = [device = what.network.device()](AnyModule module) {
    module.move_to(device);
    return module;
  };
  return make_method(what.method, what.recipe, what.network, optimiser, what.class_weights,
                     {.another = [&] { return there(what.another()); },
                      .discriminator = [&](const std::string& name) { return there(what.discriminator(name)); },
                      .groups = [&](const AnyModule& network) { return parameter_groups(network, what.rates); }},
                     what.loss);
}

void warn_of_few_updates(const Recipe& recipe, int64_t updates_in_epoch) {
  constexpr int64_t kFew = 200;
  const int64_t all = updates_in_epoch * recipe.epochs;
  if (all >= kFew || updates_in_epoch <= 0 || recipe.time_budget.seconds > 0) return;
  warn(updates_in_epoch, updates_in_epoch == 1 ? " update" : " updates", " an epoch make ", all,
       " in all, and networks learn little from so few: epochs=", (kFew + updates_in_epoch - 1) / updates_in_epoch,
       recipe.batch > 1 ? " or a smaller batch=" : "", " would make ", kFew);
}

// What several ranks can train.
TrainedNetwork expected_on_ranks(TrainedNetwork what) {
  const int ranks = communicator().size();
  if (ranks == 1) return what;
  const auto expect_samples = [ranks](const char* key, int batch) {
    check(batch >= ranks, key, "=", batch, " is shared by ", ranks,
          " ranks, and each needs a sample at least: set a larger ", key, "=, or start fewer");
  };
  expect_samples("batch", what.recipe.batch);
  if (what.method.semi_supervised())
    expect_samples("semi.unlabelled_batch", what.method.unlabelled_or(what.recipe.batch));
  return what;
}

// The same data; the time that they take is added up.
template <class F>
F timed(F next, double& seconds) {
  if (!next) return next;
  return [next = std::move(next), &seconds] {
    const double before = steady_seconds();
    auto batch = next();
    seconds += steady_seconds() - before;
    return batch;
  };
}

}  // namespace

NetworkTraining::NetworkTraining(TrainedNetwork what, std::unique_ptr<StepSource> batches)
    : what_(expected_on_ranks(std::move(what))),
      batches_(std::move(batches)),
      optimiser_(what_.recipe.make_optimiser(parameter_groups(what_.network, what_.rates))),
      schedule_(what_.recipe.make_schedule(batches_->steps())) {
  if (what_.recipe.ema > 0) ema_.emplace(optimiser_, EmaOptions{.decay = what_.recipe.ema});
  method_ = method_of(what_, optimiser_);
  if (communicator().alone()) return;
  prepare_rank_sums(what_.network.device());
  default_generator().set_rank(communicator().rank());
  const auto take = [this](const AnyModule& network) {
    const std::vector<NamedTensor> all = network.tensors(), trained = network.parameters();
    expect_equal_on_ranks(all);
    for (const NamedTensor& t : all)
      if (std::ranges::none_of(trained, [&](const NamedTensor& p) { return p.name == t.name; }))
        statistics_.push_back(t.tensor);
  };
  take(what_.network);
  for (const auto& [name, network] : method_.parts.models) take(network);
  check(
      statistics_.empty() || what_.network.device() == Device::cpu || what_.recipe.sync_batch_norm != SyncBatchNorm::on,
      "sync_batch_norm=on is for CPUs: on GPUs a batch norm takes the statistics of its own rank's samples; leave "
      "sync_batch_norm at auto");
}

StepResult NetworkTraining::step(int epoch, int64_t index) {
  const double before = steady_seconds();
  StepData data = batches_->next(epoch, index);
  data.labelled = timed(std::move(data.labelled), waited_);
  data.unlabelled = timed(std::move(data.unlabelled), waited_);
  StepResult result = method_.step(data);
  mean_over_ranks(statistics_);
  steps_took_ += steady_seconds() - before;
  return result;
}

StepMemory NetworkTraining::foresee(int64_t labelled, int64_t unlabelled) {
  return memory_of_step(
      [&] {
        method_.step(batches_->empty(labelled, unlabelled));
        if (ema_) ema_->update();
        for (const auto& [name, average] : method_.parts.averages) average->update();
      },
      what_.network.device());
}

StepMemory NetworkTraining::announce(std::string_view otherwise, size_t data) {
  warn_of_few_updates(what_.recipe, steps());
  const auto foreseen = [&](int batch) {
    const int ranks = communicator().size();  // each takes its part
    return foresee((batch + ranks - 1) / ranks, (what_.method.unlabelled_or(batch) + ranks - 1) / ranks);
  };
  return announce_memory(what_.recipe, foreseen, what_.network.device(), otherwise, data);
}

Training NetworkTraining::for_loop() {
  Training t;
  t.models = {{"model", what_.network}};
  t.optimisers = {{"optimiser", &optimiser_}};
  if (ema_) t.averages = {{"ema", &*ema_}};
  const auto take = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  take(t.models, method_.parts.models);
  take(t.optimisers, method_.parts.optimisers);
  take(t.averages, method_.parts.averages);
  t.schedule = &schedule_;
  t.steps_in_epoch = batches_->steps();
  t.samples_in_epoch = batches_->samples();
  t.begin_epoch = [this](int epoch, int64_t index) { batches_->begin_epoch(epoch, index); };
  t.step = [this](int epoch, int64_t index) { return step(epoch, index); };
  if (ema_) t.identity["average of the weights"] = fmt::format("ema={}", what_.recipe.ema);
  return t;
}

}  // namespace kern::training
