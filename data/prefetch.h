// Prepares the next items on background threads while the current one is used.
#pragma once
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/common/parallel.h"

namespace kern::data {

//   Prefetch<WellBatch> batches(first, end, [&](int64_t i) { return source.batch(epoch, i); });
//   while (auto batch = batches.next()) train_on(*batch);
//
// Items come in the order first, first+1, .., end-1. An exception of make(i) is thrown by the next() that would have
// returned item i, after all items before it, and again by every later next(): no thread dies silently.
//
// One thread prepares, and at most `ahead` items are begun and not taken: enough where a step takes longer than an
// item, as on a CPU. Whenever next() has to wait, one thread and one item are added, up to most_threads: a consumer as
// quick as a GPU is fed by as many as it takes. make() is called from several threads at a time, then. The
// destructor waits for the calls of make that are running, no longer.
template <class T>
class Prefetch {
 public:
  Prefetch(int64_t first, int64_t end, std::function<T(int64_t)> make, size_t ahead = 2,
           int most_threads = thread_count(), int threads = 1)  // threads: to begin with
      : make_(std::move(make)),
        end_(end),
        most_threads_(size_t(std::max(1, most_threads))),
        made_(first),
        taken_(first),
        wanted_(std::clamp<size_t>(size_t(threads), 1, most_threads_)),
        ahead_(int64_t(std::max<size_t>(ahead, 1) + wanted_ - 1)) {
    for (size_t i = 0; i < wanted_; ++i)
      if (!start_thread()) break;
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;
  ~Prefetch() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // How many threads this consumer could use, for the next Prefetch of its kind.
  int wanted_threads() {
    std::lock_guard lock(mutex_);
    return int(wanted_);
  }

  // The next item; nothing after the last one. For one consumer.
  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    if (taken_ >= end_) return std::nullopt;
    if (threads_.empty()) return make_(taken_++);  // where no thread may be started
    if (!items_.contains(taken_)) {
      if (waited_) hurry();  // the first one is waited for by whoever has nothing to do yet
      waited_ = true;
      filled_.wait(lock, [this] { return items_.contains(taken_); });
    }
    const auto found = items_.find(taken_);
    if (found->second.failure) std::rethrow_exception(found->second.failure);
    std::optional<T> item = std::move(found->second.item);
    items_.erase(found);
    ++taken_;
    lock.unlock();
    room_.notify_one();
    return item;
  }

 private:
  struct Item {
    std::optional<T> item;
    std::exception_ptr failure;  // instead of one
  };

  // With the lock.
  void hurry() {
    if (wanted_ >= most_threads_) return;
    ++wanted_, ++ahead_;
    if (made_ >= end_) return;
    start_thread();
  }
  // False where the system starts no more for this process: those there are do the work.
  bool start_thread() {
    try {
      threads_.emplace_back([this] { produce(); });
      return true;
    } catch (const std::system_error&) {
      most_threads_ = std::max<size_t>(1, threads_.size());
      return false;
    }
  }
  void produce() {
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [this] { return made_ - taken_ < ahead_ || stopping_ || made_ >= end_; });
      if (stopping_ || made_ >= end_) return;
      const int64_t i = made_++;
      lock.unlock();
      Item item;
      try {
        item.item.emplace(make_(i));
      } catch (...) {  // whatever it is, it is thrown again where the item was asked for
        item.failure = std::current_exception();
      }
      lock.lock();
      if (item.failure) made_ = end_;  // nobody will ask for what comes behind it
      items_.emplace(i, std::move(item));
      if (i == taken_) filled_.notify_one();
      if (made_ >= end_) room_.notify_all();
    }
  }

  const std::function<T(int64_t)> make_;
  const int64_t end_;
  size_t most_threads_;
  std::mutex mutex_;
  std::condition_variable filled_, room_;
  std::map<int64_t, Item> items_;
  int64_t made_, taken_;  // the next to be begun, and to be taken
  size_t wanted_;
  int64_t ahead_;
  bool waited_ = false, stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kern::data
