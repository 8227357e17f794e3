// Prepares the next items on one background thread while the current one is used.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace kern::data {

//   Prefetch<WellBatch> batches(first, end, [&](int64_t i) { return source.batch(epoch, i); });
//   while (auto batch = batches.next()) train_on(*batch);
//
// Items come in the order first, first+1, .., end-1. An exception of make(i) is thrown by the next() that would have
// returned item i, after all items before it, and again by every later next(): the thread never dies silently.
// At most `ahead` finished items wait. The destructor waits for the one call of make that may be running, no longer.
template <class T>
class Prefetch {
 public:
  Prefetch(int64_t first, int64_t end, std::function<T(int64_t)> make, size_t ahead = 2)
      : make_(std::move(make)), ahead_(ahead < 1 ? 1 : ahead), thread_([this, first, end] { produce(first, end); }) {}
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;
  ~Prefetch() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    thread_.join();
  }

  // The next item; nothing after the last one. For one consumer.
  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !items_.empty() || finished_; });
    if (items_.empty()) {
      if (failure_) std::rethrow_exception(failure_);
      return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    lock.unlock();
    room_.notify_one();
    return item;
  }

 private:
  void produce(int64_t first, int64_t end) {
    std::exception_ptr failure;
    try {
      for (int64_t i = first; i < end; ++i) {
        {
          std::unique_lock lock(mutex_);
          room_.wait(lock, [this] { return items_.size() < ahead_ || stopping_; });
          if (stopping_) return;
        }
        T item = make_(i);
        {
          std::lock_guard lock(mutex_);
          items_.push_back(std::move(item));
        }
        filled_.notify_one();
      }
    } catch (...) {  // whatever it is, it is thrown again where the item was asked for
      failure = std::current_exception();
    }
    {
      std::lock_guard lock(mutex_);
      failure_ = failure;
      finished_ = true;
    }
    filled_.notify_one();
  }

  const std::function<T(int64_t)> make_;
  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable filled_, room_;
  std::deque<T> items_;
  std::exception_ptr failure_;
  bool finished_ = false, stopping_ = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace kern::data
