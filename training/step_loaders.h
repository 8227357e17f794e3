// Where the steps of a training get their batches: labelled ones, and unlabelled ones where the method has a use for
// them, each from a loader of its own. What a step gets depends on (epoch, index) alone, so that a resumed training
// goes on with the same batches; of several ranks each gets its part of them.
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "data/cycling_loader.h"
#include "engine/communicator.h"
#include "training/adversarial.h"
#include "training/methods.h"

namespace kern::training {

// The batches of a training, whatever they are made of.
class StepSource {
 public:
  virtual ~StepSource() = default;
  virtual int64_t steps() const = 0;                       // updates of an epoch
  virtual int64_t samples() const = 0;                     // of an epoch, for the progress bar
  virtual void begin_epoch(int epoch, int64_t index) = 0;  // the next step is that one
  virtual StepData next(int epoch, int64_t index) = 0;
  // A step's data without values, batches of so many samples (fewer, where there are fewer): for a dry run.
  virtual StepData empty(int64_t labelled, int64_t unlabelled) const = 0;
};

// What a task's batches are as tensors. Batches is as for data::CyclingLoader.
template <class Batches>
struct BatchTensors {
  using Batch = typename data::CyclingLoader<Batches>::Batch;
  std::function<Shape(const Batches&)> all;  // [samples, L, C] or [samples, H, W, C]: one pass as a single batch
  std::function<LabelledBatch(const Batch&)> labelled;
  std::function<UnlabelledBatch(const Batch&)> unlabelled = {};  // where a method may learn from such data
  bool per_sample = false;                                       // labels are [N], one a sample, and no position's
};

template <class Batches>
class StepLoaders : public StepSource {
 public:
  StepLoaders(Batches labelled, std::optional<Batches> unlabelled, BatchTensors<Batches> tensors, const Recipe& recipe,
              const MethodRecipe& method = {})
      : recipe_(recipe),
        method_(method),
        share_{communicator().rank(), communicator().size()},
        labelled_(std::move(labelled), share_),
        tensors_(std::move(tensors)) {
    if (unlabelled) unlabelled_.emplace(std::move(*unlabelled), share_);
  }

  const Batches& labelled() const { return labelled_.batches(); }
  const Batches* unlabelled() const { return unlabelled_ ? &unlabelled_->batches() : nullptr; }
  int64_t steps() const override {
    if (method_.coin_flips()) return labelled_.size() + unlabelled_->size();
    if (method_.epoch_updates > 0) return method_.epoch_updates;
    if (unlabelled_) return std::max(labelled_.size(), unlabelled_->size());
    return (labelled_.size() + recipe_.accumulate - 1) / recipe_.accumulate;
  }
  int64_t samples() const override {
    return one_pass() ? tensors_.all(labelled())[0] : steps() * recipe_.batch * recipe_.accumulate;
  }

  void begin_epoch(int epoch, int64_t index) override {
    if (method_.coin_flips()) {
      flips_ = coin_flips(labelled_.size(), unlabelled_->size(), uint64_t(recipe_.seed), epoch);
      const int64_t heads = std::count(flips_.begin(), flips_.begin() + index, true);
      labelled_.begin(epoch * labelled_.size() + heads);
      unlabelled_->begin(epoch * unlabelled_->size() + index - heads);
      return;
    }
    const int64_t done = index * recipe_.accumulate;
    left_ = labelled_.size() - done;
    labelled_.begin(one_pass() ? epoch * labelled_.size() + done : epoch * steps() * recipe_.accumulate + done);
    if (unlabelled_) unlabelled_->begin(epoch * steps() + index);
  }

  StepData next(int epoch, int64_t index) override {
    StepData d;
    d.epochs = epoch + double(index) / double(steps());
    // With coin flips a step has a batch of one kind, by chance, until both have ended.
    const bool both = !method_.coin_flips(), heads = both || flips_[size_t(index)];
    if (heads)
      d.labelled = [this]() -> LabelledBatch {
        if (one_pass() && left_-- <= 0) return {};
        const auto batch = labelled_.next();
        LabelledBatch out = tensors_.labelled(batch);
        out.whole = batch.whole;
        return out;
      };
    if (unlabelled_ && (both || !heads))
      d.unlabelled = [this] {
        const auto batch = unlabelled_->next();
        UnlabelledBatch out = tensors_.unlabelled(batch);
        out.whole = batch.whole;
        return out;
      };
    return d;
  }

  StepData empty(int64_t labelled, int64_t unlabelled) const override {
    const auto shape = [this](const Batches& of, int64_t samples) {
      Shape s = tensors_.all(of);
      s[0] = std::min(samples, s[0]);
      return s;
    };
    StepShapes h{.labelled = shape(this->labelled(), labelled),
                 .batches = labelled_.size(),
                 .unlabelled = {},
                 .strong = method_.strong_views(),
                 .per_sample = tensors_.per_sample,
                 .epochs = double(recipe_.epochs)};  // every term of the loss has begun
    if (unlabelled_) h.unlabelled = shape(*this->unlabelled(), unlabelled);
    return empty_step_data(h);
  }

 private:
  // Whether an epoch is one pass over the labelled data, whose last step may have fewer batches.
  bool one_pass() const { return !unlabelled_ && method_.epoch_updates == 0; }

  Recipe recipe_;
  MethodRecipe method_;
  data::Share share_;  // of every batch, this rank's
  data::CyclingLoader<Batches> labelled_;
  std::optional<data::CyclingLoader<Batches>> unlabelled_;
  BatchTensors<Batches> tensors_;
  std::vector<bool> flips_;
  int64_t left_ = 0;  // labelled batches of a pass
};

}  // namespace kern::training
