// The data of every step: labelled batches, and unlabelled ones where the method has a use for them, each from a loader
// of its own. What a step gets depends on (epoch, index) alone, so that a resumed training goes on with the same
// batches.
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "data/cycling_loader.h"
#include "training/adversarial.h"
#include "training/method.h"

namespace kern::training {

struct StepFeedOptions {
  int accumulate = 1;       // labelled batches of a step (supervised alone)
  int epoch_updates = 0;    // 0: a pass over the labelled data, or over the larger of both
  bool coin_flips = false;  // a step has a batch of one kind, by chance, until both have ended
  uint64_t seed = 0;        // of the coin
};

// Batches is as for data::CyclingLoader.
template <class Batches>
class StepFeeds {
 public:
  using Batch = typename data::CyclingLoader<Batches>::Batch;
  StepFeeds(Batches labelled, std::optional<Batches> unlabelled, std::function<LabelledBatch(const Batch&)> labelled_of,
            std::function<UnlabelledBatch(const Batch&)> unlabelled_of, const StepFeedOptions& options)
      : options_(options),
        labelled_(std::move(labelled)),
        labelled_of_(std::move(labelled_of)),
        unlabelled_of_(std::move(unlabelled_of)) {
    if (unlabelled) unlabelled_.emplace(std::move(*unlabelled));
  }

  const Batches& labelled() const { return labelled_.batches(); }
  const Batches* unlabelled() const { return unlabelled_ ? &unlabelled_->batches() : nullptr; }
  int64_t steps() const {
    if (options_.coin_flips) return labelled_.size() + unlabelled_->size();
    if (options_.epoch_updates > 0) return options_.epoch_updates;
    if (unlabelled_) return std::max(labelled_.size(), unlabelled_->size());
    return (labelled_.size() + options_.accumulate - 1) / options_.accumulate;
  }
  // Whether an epoch is one pass over the labelled data, whose last step may have fewer batches.
  bool one_pass() const { return !unlabelled_ && options_.epoch_updates == 0; }

  void begin(int epoch, int64_t index) {
    if (options_.coin_flips) {
      flips_ = coin_flips(labelled_.size(), unlabelled_->size(), options_.seed, epoch);
      const int64_t heads = std::count(flips_.begin(), flips_.begin() + index, true);
      labelled_.begin(epoch * labelled_.size() + heads);
      unlabelled_->begin(epoch * unlabelled_->size() + index - heads);
      return;
    }
    const int64_t done = index * options_.accumulate;
    left_ = labelled_.size() - done;
    labelled_.begin(one_pass() ? epoch * labelled_.size() + done : epoch * steps() * options_.accumulate + done);
    if (unlabelled_) unlabelled_->begin(epoch * steps() + index);
  }

  StepData next(int epoch, int64_t index) {
    StepData d;
    d.epochs = epoch + double(index) / double(steps());
    const bool both = !options_.coin_flips, heads = both || flips_[size_t(index)];
    if (heads)
      d.labelled = [this]() -> LabelledBatch {
        if (one_pass() && left_-- <= 0) return {};
        return labelled_of_(labelled_.next());
      };
    if (unlabelled_ && (both || !heads)) d.unlabelled = [this] { return unlabelled_of_(unlabelled_->next()); };
    return d;
  }

 private:
  StepFeedOptions options_;
  data::CyclingLoader<Batches> labelled_;
  std::optional<data::CyclingLoader<Batches>> unlabelled_;
  std::function<LabelledBatch(const Batch&)> labelled_of_;
  std::function<UnlabelledBatch(const Batch&)> unlabelled_of_;
  std::vector<bool> flips_;
  int64_t left_ = 0;  // labelled batches of a pass
};

}  // namespace kern::training
