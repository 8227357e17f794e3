#include "training/loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "engine/gpu.h"
#include "engine/interruption.h"
#include "engine/random.h"
#include "kernels/common/log.h"
#include "training/csv_log.h"
#include "training/stop.h"
#include "training/tensorboard_log.h"

namespace kern::training {
namespace {

constexpr const char *kSeedKey = "kern.seed", *kMetricsFile = "metrics.csv", *kTimingFile = "timing.csv";

// What a checkpoint holds.
std::vector<FileTensor> all_tensors(const Training& t) {
  std::vector<FileTensor> out;
  for (const auto& [name, model] : t.models)
    for (const NamedTensor& p : model.tensors()) out.push_back({name + "." + p.name, p.tensor});
  auto add = [&](const auto& parts) {
    for (const auto& [name, part] : parts)
      for (auto& s : part->state(name)) out.push_back(std::move(s));
  };
  add(t.optimisers);
  add(t.averages);
  return out;
}

// Within its scope the models are their averages, where there are any.
class Averaged {
 public:
  explicit Averaged(const Training& t) {
    for (const auto& [name, ema] : t.averages) swapped_.push_back(std::make_unique<Ema::Swapped>(*ema));
  }

 private:
  std::vector<std::unique_ptr<Ema::Swapped>> swapped_;
};

// The epochs that a run has behind it, as its tables hold them: what a checkpoint need not repeat every time.
std::vector<EpochRecord> history_of(const RunFolder& run, int epochs) {
  std::vector<EpochRecord> out;
  const auto metrics = run.file(kMetricsFile), timing = run.file(kTimingFile);
  if (epochs == 0 || !std::filesystem::exists(metrics)) {
    if (epochs > 0) warn(metrics.string(), " is not there: the report will begin at epoch ", epochs + 1);
    return out;
  }
  const CsvTable of_epochs = read_csv_table(metrics);
  check(of_epochs.columns.size() >= 3 && of_epochs.columns[0] == "epoch", metrics.string(),
        " is not the table of a training: put it back as it was, or remove it");
  std::map<double, double> seconds;
  if (std::filesystem::exists(timing))
    for (const auto& row : read_csv_table(timing).rows)
      if (row.size() > 1) seconds[row[0]] = row[1];
  for (const auto& row : of_epochs.rows) {
    if (!(row[0] >= 1 && row[0] <= double(epochs))) continue;
    EpochRecord r{int(row[0]), row[1], row[2], seconds.contains(row[0]) ? seconds[row[0]] : 0.0, {}};
    for (size_t i = 3; i < row.size(); ++i) r.figures.emplace_back(of_epochs.columns[i], row[i]);
    out.push_back(std::move(r));
  }
  if (int(out.size()) < epochs)
    warn(metrics.string(), " holds ", out.size(), " of ", epochs, " epochs: the others will lack in the report");
  return out;
}

class Loop {
 public:
  Loop(const RunFolder& run, const LoopOptions& options, Training& training, ProgressBar& progress)
      : run_(run), options_(options), t_(training), progress_(progress) {
    for (const auto& [name, optimiser] : t_.optimisers) base_lr_.push_back(optimiser->lr());
  }

  LoopResult go() {
    if (run_.resumed() && std::filesystem::exists(run_.file(kCheckpointFile))) restore();
    started_ = last_save_ = steady_seconds();
    seconds_before_ = s_.seconds;
    if (t_.begin) t_.begin();
    begin_tensorboard();
    while (s_.epoch < options_.epochs && !worn_out()) {
      // Asked before as well: resuming a run whose time is used up must not add to it.
      auto reason = asked().stop;
      try {
        if (!reason) reason = epoch();
      } catch (const Interrupted&) {
        return {s_, EndReason::signal_in_step};
      }
      if (reason) {
        if (*reason == EndReason::killed_for_test || *reason == EndReason::diverged) return {s_, *reason};
        save();
        return done(*reason);
      }
    }
    return done(worn_out() ? EndReason::patience : EndReason::epochs);
  }

 private:
  LoopResult done(EndReason reason) {
    const Averaged averaged(t_);
    save_model(kLastModelFile);
    if (!s_.best_epoch) save_model(kBestModelFile);  // stopped before the first validation
    return {s_, reason};
  }
  bool worn_out() const {
    return options_.patience > 0 && s_.best_epoch > 0 && s_.epoch - s_.best_epoch >= options_.patience;
  }
  double seconds() const { return seconds_before_ + steady_seconds() - started_; }

  // One epoch from where the state stands; a reason if the training ends in it.
  std::optional<EndReason> epoch() {
    const int e = s_.epoch;
    const int64_t steps = t_.steps_in_epoch;
    for (const auto& [name, model] : t_.models) model.set_training(true);
    const int64_t samples = t_.samples_in_epoch;
    progress_.begin(samples, e + 1, steps > 0 ? samples * s_.index / steps : 0);
    t_.begin_epoch(e, s_.index);
    while (s_.index < steps) {
      if (s_.index + 1 == steps) watch_gradients();
      for (size_t i = 0; i < t_.optimisers.size(); ++i) t_.optimisers[i].second->set_lr(base_lr_[i] * lr_scale());
      waiting_.push_back(t_.step(e, s_.index));
      for (const auto& [name, ema] : t_.averages) ema->update();
      const bool late = waiting_.back().loss.late();
      if (!read_losses(late ? 1 : 0)) return EndReason::diverged;
      default_generator().advance();
      ++s_.step;
      ++s_.index;
      if (options_.stop_after_steps > 0 && s_.step >= options_.stop_after_steps) return EndReason::killed_for_test;
      const auto [reason, saves] = asked();
      if (reason || saves || s_.index == steps) {
        if (!read_losses(0)) return EndReason::diverged;
        wait_for_ranks();
      }
      if (reason) return reason;
      if (saves) save();
    }
    const double lr = t_.schedule->lr(std::max<int64_t>(0, s_.step - 1));
    const double train_loss = s_.loss_count > 0 ? s_.loss_sum / double(s_.loss_count) : 0;
    for (const auto& [name, model] : t_.models) model.set_training(false);
    const auto [v, better] = validate(e);
    t_.schedule->observe(v.loss);
    EpochRecord record{e + 1, train_loss, lr, seconds(), v.figures};
    for (const FigureSum& f : s_.figures)
      record.figures.emplace_back(f.name, f.weight > 0 ? f.sum / f.weight : std::numeric_limits<double>::quiet_NaN());
    for (const EpochRecord& before : s_.history) record.seconds -= before.seconds;
    log(record);
    if (tensorboard_) tensorboard(record, v);
    std::string figures;
    for (const auto& [name, value] : v.figures) figures += text(figures.empty() ? "" : "  ", name, ' ', value);
    progress_.end(figures + (better ? "  *" : ""));
    s_.history.push_back(std::move(record));
    ++s_.epoch;
    s_.index = 0;
    s_.loss_sum = 0;
    s_.loss_count = 0;
    s_.figures.clear();
    save();
    return {};
  }

  // The figures of one step to those of its epoch.
  void add(const std::vector<StepFigure>& figures) {
    if (s_.figures.empty())
      for (const StepFigure& f : figures) s_.figures.push_back({f.name, 0, 0});
    internal_check(s_.figures.size() == figures.size(), "a method's steps must all have the same figures");
    for (size_t i = 0; i < figures.size(); ++i) {
      if (!(figures[i].weight > 0)) continue;
      s_.figures[i].sum += figures[i].value * figures[i].weight;
      s_.figures[i].weight += figures[i].weight;
    }
  }

  // Of the steps whose losses were not read yet, all but the last `but`; false if one is not finite.
  bool read_losses(size_t but) {
    for (; waiting_.size() > but; waiting_.pop_front()) {
      const StepResult& r = waiting_.front();
      const double loss = communicator().sum(r.loss.value());
      if (!std::isfinite(loss)) {
        progress_.note(text("the loss became ", std::isnan(loss) ? "not a number" : "infinite", " in epoch ",
                            s_.epoch + 1, ": the training diverged. Lower lr, or look at the data with inspect"));
        return false;
      }
      add(r.figures.values_over_ranks());
      s_.loss_sum += loss * double(r.samples);
      s_.loss_count += r.samples;
      progress_.advance(r.samples, loss);
    }
    return true;
  }

  // Validates epoch e, and saves the model if it is the best so far.
  std::pair<Validation, bool> validate(int e) {
    const NoGrad off;
    const Averaged averaged(t_);
    Validation v = t_.validate(e);
    const bool better = std::isfinite(v.score) && (!s_.best || v.score > *s_.best);
    if (better) {
      s_.best = v.score;
      s_.best_epoch = e + 1;
      save_model(kBestModelFile);
    }
    return {std::move(v), better};
  }

  // Sums over the ranks' GPUs that stand behind the last step's loss are made before one rank waits for what the others do
  // not ask for.
  void wait_for_ranks() const {
    if (communicator().alone()) return;
    for (const auto& [name, model] : t_.models) wait_for(model.device());
  }

  double lr_scale() const { return t_.schedule->lr(s_.step) / t_.schedule->base_lr(); }

  // What is to be done between two steps. All ranks ask together and hear the same: a signal may reach any of them, the
  // rest is the first one's affair.
  struct Asked {
    std::optional<EndReason> stop;
    bool save = false;
  };
  Asked asked() const {
    Communicator& all = communicator();
    int64_t wish[] = {SignalWatch::asked(), all.root() && run_.stop_requested(),
                      all.root() && options_.time_budget > 0 && seconds() >= options_.time_budget,
                      all.root() && steady_seconds() - last_save_ >= options_.checkpoint_every};
    all.sum(std::span<int64_t>(wish));
    if (wish[0]) return {EndReason::signal};
    if (wish[1]) return {EndReason::stop_file};
    if (wish[2]) return {EndReason::time_budget};
    return {{}, wish[3] > 0};
  }
  // The ranks hold the same: the first one writes.
  void save_model(const char* name) const {
    if (communicator().root()) t_.save_model(run_.file(name));
  }

  // metrics.csv holds nothing that another run of the same configuration would not: times stand beside it.
  void log(const EpochRecord& r) {
    if (!communicator().root()) return;
    if (!metrics_) {
      std::vector<std::string> columns{"epoch", "train_loss", "lr"};
      for (const auto& [name, value] : r.figures) columns.push_back(name);
      metrics_.emplace(run_.csv(kMetricsFile, std::move(columns), double(s_.epoch)));
      timing_.emplace(run_.csv(kTimingFile, {"epoch", "seconds"}, double(s_.epoch)));
    }
    std::vector<double> values{double(r.epoch), r.train_loss, r.lr};
    for (const auto& [name, value] : r.figures) values.push_back(value);
    metrics_->append(values);
    timing_->append({double(r.epoch), r.seconds});
  }

  // --- TensorBoard: the same figures, and what a table does not hold ---

  void begin_tensorboard() {
    if (options_.logger != Logger::tensorboard || !communicator().root()) return;
    tensorboard_.emplace(run_.file(kTensorBoardFolder), s_.epoch);
    bool here = true;
    for (const auto& [name, model] : t_.models) here = here && model.device() == Device::cpu;
    check(
        here || options_.histograms != Histograms::gradients,
        "log_histograms=gradients reads gradients before they are used up, which a GPU does within one recorded step: "
        "give log_histograms=weights, or device=cpu");
  }
  // The next update shows its gradients before it uses them up.
  void watch_gradients() {
    if (!tensorboard_ || options_.histograms != Histograms::gradients) return;
    for (const auto& [name, optimiser] : t_.optimisers)
      optimiser->before_next_update([this] {
        if (std::exchange(watched_, s_.epoch + 1) == s_.epoch + 1) return;  // another optimiser of the same step
        each_parameter([&](const std::string& tag, const Tensor& p) {
          if (const Tensor g = p.grad()) tensorboard_->histogram("gradients/" + tag, s_.epoch + 1, g.values());
        });
      });
  }
  template <class F>
  void each_parameter(F f) const {
    for (const auto& [name, model] : t_.models)
      for (const NamedTensor& p : model.parameters()) f(name + "." + p.name, p.tensor);
  }
  void tensorboard(const EpochRecord& r, const Validation& v) {
    tensorboard_->scalar("train/loss", r.epoch, r.train_loss);
    tensorboard_->scalar("train/lr", r.epoch, r.lr);
    for (size_t i = 0; i < r.figures.size(); ++i)
      tensorboard_->scalar((i < v.figures.size() ? "validation/" : "method/") + r.figures[i].first, r.epoch,
                           r.figures[i].second);
    if (options_.histograms != Histograms::none)
      each_parameter([&](const std::string& tag, const Tensor& p) {
        tensorboard_->histogram("weights/" + tag, r.epoch, p.values());
      });
    if (options_.images)
      if (const auto panel = run_.file(panel_file(r.epoch)); std::filesystem::exists(panel))
        tensorboard_->image("validation/panels", r.epoch, read_file(panel));
    tensorboard_->flush();
  }

  void save() {
    if (communicator().root()) write_checkpoint();
    last_save_ = steady_seconds();
  }
  void write_checkpoint() {
    s_.seconds = seconds();
    s_.schedule = t_.schedule->state();
    Metadata metadata = t_.identity;
    metadata[kSeedKey] = std::to_string(default_generator().seed());
    save_checkpoint(run_.file(kCheckpointFile), all_tensors(t_), s_, metadata);
  }

  void restore() {
    const Checkpoint c = load_checkpoint(run_.file(kCheckpointFile));
    for (const auto& [key, value] : t_.identity) {
      const auto it = c.file.metadata.find(key);
      check(it != c.file.metadata.end() && it->second == value, c.file.shown_name, " was made with another ", key, " (",
            it == c.file.metadata.end() ? "none" : it->second, ", now ", value,
            "); resume with the run's own configuration, or begin a new run");
    }
    const auto seed = c.file.metadata.find(kSeedKey);
    check(seed != c.file.metadata.end() && seed->second == std::to_string(default_generator().seed()),
          c.file.shown_name, " was made with seed ", seed == c.file.metadata.end() ? "?" : seed->second, ", now it is ",
          default_generator().seed());
    for (const auto& [name, model] : t_.models) {
      std::vector<FileTensor> targets;
      for (const NamedTensor& p : model.tensors()) targets.push_back({p.name, p.tensor});
      load_into(targets, c.file, name + ".");
    }
    for (const auto& [name, optimiser] : t_.optimisers) optimiser->load_state(c.file, name);
    for (const auto& [name, ema] : t_.averages) ema->load_state(c.file, name);
    s_ = c.state;
    if (s_.history.empty()) s_.history = history_of(run_, s_.epoch);
    check_best_model();
    t_.schedule->restore(s_.schedule);
    default_generator().set(default_generator().seed(), uint64_t(s_.step));
    progress_.note(text("resumed at epoch ", s_.epoch + 1, ", step ", s_.index));
  }

  // The best model so far is needed when the training ends: what is wrong with it is better known now.
  void check_best_model() const {
    const auto path = run_.file(kBestModelFile);
    if (s_.best_epoch == 0) return;
    try {
      load_tensors(path);
    } catch (const Error& e) {
      throw Error(text("the best model of this run so far cannot be read: ", e.sentence(),
                       ". Put a copy of it back, or begin a new run"));
    }
  }

  const RunFolder& run_;
  const LoopOptions& options_;
  Training& t_;
  ProgressBar& progress_;
  LoopState s_;
  std::deque<StepResult> waiting_;  // whose losses were not read yet
  std::vector<double> base_lr_;
  std::optional<CsvLog> metrics_, timing_;
  std::optional<TensorBoardLog> tensorboard_;
  int watched_ = 0;  // the epoch whose gradients were seen
  double started_ = 0, last_save_ = 0, seconds_before_ = 0;
};

}  // namespace

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::epochs:
      return "all epochs done";
    case EndReason::patience:
      return "no improvement within the patience";
    case EndReason::time_budget:
      return "time budget used";
    case EndReason::stop_file:
      return "stop file";
    case EndReason::signal:
      return "interrupted";
    case EndReason::signal_in_step:
      return "interrupted inside a step";
    case EndReason::killed_for_test:
      return "killed for a test";
    case EndReason::diverged:
      return "diverged";
  }
  return "?";
}

std::string panel_file(int epoch) {
  const std::string number = std::to_string(epoch);
  return "panels/epoch_" + std::string(number.size() < 4 ? 4 - number.size() : 0, '0') + number + ".png";
}

LoopResult run_loop(const RunFolder& run, const LoopOptions& options, Training& training, ProgressBar& progress) {
  return Loop(run, options, training, progress).go();
}

}  // namespace kern::training
