// The batches of a training in one endless row, round after round, prepared ahead on other threads: for two
// loaders of different length in one step, and for epochs that are no pass over the data.
#pragma once
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "data/prefetch.h"
#include "data/share.h"

namespace kern::data {

//   CyclingLoader<WellBatches> loader(std::move(batches));
//   loader.begin(position);        // counted from the first batch of round 0; nothing is lost if it stands there
//   Batch batch = loader.next();   // batch position % size() of round position / size(), and so on
//
// Batches is as for DataLoader (data/data_loader.h), its batch() takes a share too; its epochs are the rounds.
template <class Batches>
class CyclingLoader {
 public:
  using Epoch = decltype(std::declval<const Batches&>().epoch(0));
  using Batch = decltype(std::declval<const Batches&>().batch(std::declval<const Epoch&>(), 0));

  // share: what of each batch is prepared.
  explicit CyclingLoader(Batches batches, const Share& share = {}) : batches_(std::move(batches)), share_(share) {}
  const Batches& batches() const { return batches_; }
  int64_t size() const { return batches_.size(); }  // batches of a round
  void begin(int64_t position) {
    if (prefetch_ && position == position_) return;
    prefetch_.reset();
    position_ = position;
    prefetch_ = std::make_unique<Prefetch<Batch>>(position, std::numeric_limits<int64_t>::max(),
                                                  [this](int64_t i) { return batch(i); });
  }
  Batch next() {
    ++position_;
    return *prefetch_->next();
  }

 private:
  // Called by the prefetching threads, of which one may be in the next round already.
  Batch batch(int64_t i) {
    const int64_t number = i / size();
    std::shared_ptr<const Epoch> round;
    {
      std::lock_guard lock(mutex_);
      auto& kept = rounds_[size_t(number % 2)];
      if (!kept.epoch || kept.number != number) kept = {number, std::make_shared<const Epoch>(batches_.epoch(number))};
      round = kept.epoch;
    }
    return batches_.batch(*round, i % size(), share_);
  }
  struct Round {
    int64_t number = 0;
    std::shared_ptr<const Epoch> epoch;
  };
  Batches batches_;
  Share share_;
  int64_t position_ = 0;
  std::mutex mutex_;
  Round rounds_[2];
  std::unique_ptr<Prefetch<Batch>> prefetch_;  // last: it uses what is above
};

}  // namespace kern::data
