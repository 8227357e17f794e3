// The batches of a training, one epoch after the other, prepared ahead on other threads.
#pragma once
#include <memory>
#include <optional>
#include <utility>

#include "data/prefetch.h"

namespace kern::data {

//   DataLoader<WellBatches> loader(std::move(batches));
//   loader.begin(epoch, first);                        // from the batch `first` of that epoch
//   while (auto batch = loader.next()) train_on(*batch);
//
// Batches has size() (batches of an epoch), epoch(number) (its order, from seed and number alone) and
// batch(epoch, index), which is called from these threads.
template <class Batches>
class DataLoader {
 public:
  using Epoch = decltype(std::declval<const Batches&>().epoch(0));
  using Batch = decltype(std::declval<const Batches&>().batch(std::declval<const Epoch&>(), 0));

  explicit DataLoader(Batches batches) : batches_(std::move(batches)) {}
  const Batches& batches() const { return batches_; }
  int64_t size() const { return batches_.size(); }
  void begin(int64_t number, int64_t first) {
    const int threads = prefetch_ ? prefetch_->wanted_threads() : 1;
    prefetch_.reset();
    epoch_ = std::make_unique<Epoch>(batches_.epoch(number));
    prefetch_ = std::make_unique<Prefetch<Batch>>(
        first, size(), [this](int64_t i) { return batches_.batch(*epoch_, i); }, 2, thread_count(), threads);
  }
  // The next batch; nothing at the end of the epoch.
  std::optional<Batch> next() { return prefetch_->next(); }

 private:
  Batches batches_;
  std::unique_ptr<Epoch> epoch_;
  std::unique_ptr<Prefetch<Batch>> prefetch_;  // last: it uses what is above
};

}  // namespace kern::data
