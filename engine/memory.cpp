#include "engine/memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/dry_run.h"
#include "engine/gpu.h"
#include "engine/host_heap.h"
#include "kernels/common/error.h"
#include "kernels/common/sanitizer.h"

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
constexpr bool kReuse = !kAddressSanitizer;

// Where a pool's blocks come from.
struct Source {
  std::byte* (*take)(size_t bytes);  // null when there is none left
  void (*give_back)(std::byte*);
  void (*hand_out_again)(std::byte*, size_t bytes);  // a block that somebody freed
  const char* whose;
};
constexpr Source kHost = {
    .take = [](size_t bytes) { return static_cast<std::byte*>(std::aligned_alloc(kAlignment, bytes)); },
    .give_back = [](std::byte* p) { std::free(p); },
    .hand_out_again = [](std::byte*, size_t) {},
    .whose = ""};
// A block of the GPU that was freed may be taken again at once: whatever still uses it comes before in the stream.
constexpr Source kGpu = {
    .take = gpu_allocate, .give_back = gpu_free, .hand_out_again = gpu_hand_out_again, .whose = " of the GPU's memory"};

thread_local KeptBlocks* scope = nullptr;

// Free blocks by size; of a size the latest is taken first.
class FreeBlocks {
 public:
  std::byte* take(size_t size) {  // null if there is none
    const auto it = blocks_.find(size);
    if (it == blocks_.end() || it->second.empty()) return nullptr;
    std::byte* const block = it->second.back();
    it->second.pop_back();
    return block;
  }
  void add(std::byte* block, size_t size) { blocks_[size].push_back(block); }
  template <class F>
  void take_all(F&& f) {  // f(block, size)
    for (auto& [size, blocks] : blocks_)
      for (std::byte* const block : blocks) f(block, size);
    blocks_.clear();
  }

 private:
  std::map<size_t, std::vector<std::byte*>> blocks_;
};

class Pool {
 public:
  explicit Pool(const Source& source) : source_(source) {}
  std::byte* take(size_t bytes) {
    const size_t size = rounded(bytes);
    std::lock_guard lock(mutex_);
    std::byte* block = in_heap(size) ? heap_.take(size) : take_kept_or_new(size);
    if (!block && in_heap(size)) heap_.release(), block = heap_.take(size);  // a range without blocks may be in the way
    check(block != nullptr, "out of memory: a tensor needs ", size >> 20, " MiB and ", counters_.live >> 20, " MiB",
          source_.whose, " are in use; use a smaller batch or a smaller window");
    counters_.live += size;
    counters_.peak = std::max(counters_.peak, counters_.live);
    return block;
  }
  void give_back(std::byte* block, size_t bytes) {
    const size_t size = rounded(bytes);
    std::lock_guard lock(mutex_);
    counters_.live -= size;
    if (in_heap(size)) return heap_.give_back(block, size);
    if (KeptBlocks* const here = owners_here(); here && !owner_.contains(block)) owner_[block] = here;
    if (const auto it = owner_.find(block); it != owner_.end()) {
      kept_blocks_[it->second].add(block, size);
      kept_ += size;
    } else {
      keep(block, size);
    }
  }
  void add_owner(KeptBlocks* owner) {
    std::lock_guard lock(mutex_);
    kept_blocks_[owner];
  }
  // Its blocks serve everybody; those still in use will when they are handed back.
  void remove_owner(KeptBlocks* owner) {
    std::lock_guard lock(mutex_);
    kept_blocks_[owner].take_all([&](std::byte* block, size_t size) {
      kept_ -= size;
      keep(block, size);
    });
    kept_blocks_.erase(owner);
    std::erase_if(owner_, [&](const auto& block) { return block.second == owner; });
  }
  MemoryCounters counters() {
    std::lock_guard lock(mutex_);
    MemoryCounters c = counters_;
    c.reserved = c.live + kept_ + heap_.kept();
    c.allocations += heap_.growths();
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
  bool in_heap(size_t size) const { return kReuse && &source_ == &kHost && lies_in_heap(Device::cpu, size); }
  std::byte* take_kept_or_new(size_t size) {  // null if there is none
    KeptBlocks* const owner = owners_here();
    std::byte* block = owner ? kept_blocks_[owner].take(size) : nullptr;
    if (!block) block = free_.take(size);
    if (block) {
      kept_ -= size;
      source_.hand_out_again(block, size);
    } else {
      block = source_.take(size);
      if (!block && !recording()) block = take_from_others(size);
      if (!block) return nullptr;
      ++counters_.allocations;
    }
    if (owner) owner_[block] = owner;
    return block;
  }
  KeptBlocks* owners_here() const { return scope && kept_blocks_.contains(scope) ? scope : nullptr; }
  void keep(std::byte* block, size_t size) {
    if (!kReuse) return source_.give_back(block);
    free_.add(block, size);
    kept_ += size;
  }
  void release() {
    heap_.release();
    free_.take_all([&](std::byte* block, size_t size) {
      kept_ -= size;
      source_.give_back(block);
    });
  }
  // When the source is dry: what nobody uses goes back to it, then what is kept for recorded steps.
  std::byte* take_from_others(size_t size) {
    if (kept_ == 0) return nullptr;
    release();
    if (std::byte* block = source_.take(size)) return block;
    std::vector<KeptBlocks*> others;
    for (const auto& [owner, blocks] : kept_blocks_)
      if (owner != scope) others.push_back(owner);
    for (KeptBlocks* owner : others)
      if (kept_blocks_.contains(owner)) {
        const auto give_up = owner->give_up();  // a copy: the owner may die of it
        give_up();
      }
    release();
    return source_.take(size);
  }
  const Source& source_;
  std::recursive_mutex mutex_;  // who gives up blocks does so while another takes one
  HostHeap heap_;               // of a GPU empty
  FreeBlocks free_;
  std::map<KeptBlocks*, FreeBlocks> kept_blocks_;
  std::unordered_map<std::byte*, KeptBlocks*> owner_;
  MemoryCounters counters_;
  size_t kept_ = 0;  // bytes of free blocks
};

Pool& pool(Device device) {
  // Never destroyed: tensors of static storage duration may outlive them otherwise.
  static Pool& cpu = *new Pool(kHost);
  static Pool& gpu = *new Pool(kGpu);
  return device == Device::cpu ? cpu : gpu;
}

}  // namespace

MemoryCounters memory_counters(Device device) { return pool(device).counters(); }
void reset_peak_memory(Device device) { pool(device).reset_peak(); }
void release_unused_memory(Device device) { pool(device).release_unused(); }

KeptBlocks::KeptBlocks(std::function<void()> give_up) : give_up_(std::move(give_up)) {
  pool(Device::cuda).add_owner(this);
}
KeptBlocks::~KeptBlocks() { pool(Device::cuda).remove_owner(this); }
KeptBlocks::Scope::Scope(KeptBlocks& blocks) : before_(std::exchange(scope, &blocks)) {}
KeptBlocks::Scope::~Scope() { scope = before_; }

Storage::Storage(Device device, size_t bytes) : bytes_(bytes), device_(device), meta_(MetaMemory::of_this_thread()) {
  if (meta_) {
    data_ = meta_->take(device, rounded(bytes));
    return;
  }
  data_ = pool(device).take(bytes);
#ifndef NDEBUG
  set_bytes(device, data_, 0xff, bytes_);  // NaN as f32, -1 as i32: a value nobody wrote shows
#endif
}
Storage::~Storage() {
  if (meta_) meta_->give_back(device_, data_, rounded(bytes_));
  else pool(device_).give_back(data_, bytes_);
}

}  // namespace kern
