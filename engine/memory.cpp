#include "engine/memory.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "engine/card.h"
#include "engine/rehearsal.h"
#include "kernels/common/error.h"

namespace kern {
namespace {

constexpr size_t kAlignment = 64;
// Sizes are rounded so that a step's buffers fit the next step's: to 64 bytes, above 64 KiB to a 32nd of their power of
// two.
size_t rounded(size_t bytes) {
  size_t unit = kAlignment;
  while (unit * 1024 < bytes) unit *= 2;
  return (std::max<size_t>(bytes, 1) + unit - 1) / unit * unit;
}

// Under a sanitizer every block comes from and goes back to the system, so that a read after free is caught.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kReuse = false;
#else
constexpr bool kReuse = true;
#endif

// Where a pool's blocks come from.
struct Source {
  std::byte* (*take)(size_t bytes);  // null when there is none left
  void (*give_back)(std::byte*);
  const char* whose;
};
constexpr Source kHost = {
    .take = [](size_t bytes) { return static_cast<std::byte*>(std::aligned_alloc(kAlignment, bytes)); },
    .give_back = [](std::byte* p) { std::free(p); },
    .whose = ""};
// A block of the card that was freed may be taken again at once: whatever still uses it comes before in the stream.
constexpr Source kCard = {.take = card_allocate, .give_back = card_free, .whose = " of the card's memory"};

class Pool {
 public:
  explicit Pool(const Source& source) : source_(source) {}
  std::byte* take(size_t bytes) {
    const size_t size = rounded(bytes);
    std::lock_guard lock(mutex_);
    std::byte* block = nullptr;
    if (auto it = free_.find(size); it != free_.end() && !it->second.empty()) {
      block = it->second.back();
      it->second.pop_back();
      kept_ -= size;
    } else {
      block = source_.take(size);
      if (!block && kept_ > 0) {
        release();
        block = source_.take(size);
      }
      check(block != nullptr, "out of memory: a tensor needs ", size >> 20, " MiB and ", counters_.live >> 20, " MiB",
            source_.whose, " are in use; use a smaller batch or a smaller window");
      ++counters_.allocations;
    }
    counters_.live += size;
    counters_.peak = std::max(counters_.peak, counters_.live);
    return block;
  }
  void give_back(std::byte* block, size_t bytes) {
    const size_t size = rounded(bytes);
    std::lock_guard lock(mutex_);
    counters_.live -= size;
    if (!kReuse) return source_.give_back(block);
    free_[size].push_back(block);
    kept_ += size;
  }
  MemoryCounters counters() {
    std::lock_guard lock(mutex_);
    MemoryCounters c = counters_;
    c.reserved = c.live + kept_;
    return c;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    counters_.peak = counters_.live;
  }
  void release_unused() {
    std::lock_guard lock(mutex_);
    release();
  }

 private:
  void release() {
    for (auto& [size, blocks] : free_)
      for (std::byte* b : blocks) source_.give_back(b);
    free_.clear();
    kept_ = 0;
  }
  const Source& source_;
  std::mutex mutex_;
  std::map<size_t, std::vector<std::byte*>> free_;
  MemoryCounters counters_;
  size_t kept_ = 0;
};

Pool& pool(Device device) {
  // Never destroyed: tensors of static storage duration may outlive them otherwise.
  static Pool& cpu = *new Pool(kHost);
  static Pool& card = *new Pool(kCard);
  return device == Device::cpu ? cpu : card;
}

}  // namespace

MemoryCounters memory_counters(Device device) { return pool(device).counters(); }
void reset_peak_memory(Device device) { pool(device).reset_peak(); }
void release_unused_memory(Device device) { pool(device).release_unused(); }

Storage::Storage(Device device, size_t bytes)
    : bytes_(bytes), device_(device), hollow_(HollowMemory::of_this_thread()) {
  if (hollow_) {
    data_ = hollow_->take(device, rounded(bytes));
    return;
  }
  data_ = pool(device).take(bytes);
#ifndef NDEBUG
  set_bytes(device, data_, 0xff, bytes_);  // NaN as f32, -1 as i32: a value nobody wrote shows
#endif
}
Storage::~Storage() {
  if (hollow_) hollow_->give_back(device_, rounded(bytes_));
  else pool(device_).give_back(data_, bytes_);
}

}  // namespace kern
