#include "engine/dry_run.h"

#include <sys/mman.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "engine/tensor.h"
#include "kernels/common/meta.h"

namespace kern {
namespace {

thread_local DryRun* innermost = nullptr;

// Addresses that the system has promised no memory for: pages come into being only where someone writes. They are
// handed out upwards, so that no two blocks overlap, and from the bottom again once none is in use (or, if ever there
// are more than it holds, anyway: they hold nothing).
class Addresses {
 public:
  Addresses() {
    void* p = MAP_FAILED;
    while (p == MAP_FAILED && (size_ /= 2) >= size_t{1} << 20)
      p = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(p != MAP_FAILED, "dry run: the system grants no addresses; is there a limit on them (ulimit -v)?");
    madvise(p, size_, MADV_DONTDUMP);
    base_ = static_cast<std::byte*>(p);
  }
  std::byte* take(size_t size) {
    if (in_use_++ == 0 || size > size_ - next_) next_ = 0;
    std::byte* const at = base_ + next_;
    next_ += std::min(size, size_ - next_);
    return at;
  }
  void give_back() { --in_use_; }

 private:
  std::byte* base_;
  size_t size_ = size_t{1} << 46, next_ = 0;  // half of that is asked for first: 32 TiB
  int64_t in_use_ = 0;
};

// Never destroyed: tensors of static storage duration may outlive it otherwise.
Addresses& addresses() {
  static Addresses& all = *new Addresses;
  return all;
}
std::mutex mutex;  // of the addresses and of all dry runs' counters

}  // namespace

struct DryRun::KeptGradient {
  std::shared_ptr<Tensor::Impl> leaf;
  bool has_grad;
  std::shared_ptr<Tensor> grad;
};

DryRun::DryRun()
    : before_(std::exchange(innermost, this)),
      meta_impls_before_(kernels::set_meta_impls(true)),
      memory_(std::make_shared<MetaMemory>()) {}

DryRun::~DryRun() {
  for (auto kept = gradients_.rbegin(); kept != gradients_.rend(); ++kept) {
    kept->leaf->has_grad = kept->has_grad;
    kept->leaf->grad = std::move(kept->grad);
  }
  kernels::set_meta_impls(meta_impls_before_);
  innermost = before_;
}

DryRun* DryRun::current() { return innermost; }
MemoryCounters DryRun::counters(Device device) const { return memory_->counters(device); }

void DryRun::keep_gradient(const Tensor& leaf) {
  if (!innermost || leaf.impl().storage->is_meta()) return;
  std::vector<KeptGradient>& kept = innermost->gradients_;
  for (const KeptGradient& k : kept)
    if (k.leaf == leaf.shared_impl()) return;
  kept.push_back({leaf.shared_impl(), leaf.impl().has_grad, leaf.impl().grad});
}

std::shared_ptr<MetaMemory> MetaMemory::of_this_thread() { return innermost ? innermost->memory_ : nullptr; }

std::byte* MetaMemory::take(Device device, size_t size) {
  std::lock_guard lock(mutex);
  auto& [c, heap, places, kept] = devices_[size_t(device)];
  std::byte* const block = addresses().take(size);
  if (lies_in_heap(device, size)) {
    auto place = heap.take(size);
    if (!place) {
      c.reserved += heap.growth(size), ++c.allocations;
      place = heap.grow(size);
    }
    places.insert({{block, size}, *place});
  } else if (int64_t& free = kept[size]; free > 0) {
    --free;
  } else {
    c.reserved += size, ++c.allocations;
  }
  c.live += size;
  c.peak = std::max(c.peak, c.live);
  return block;
}
void MetaMemory::give_back(Device device, std::byte* block, size_t size) {
  std::lock_guard lock(mutex);
  auto& [c, heap, places, kept] = devices_[size_t(device)];
  c.live -= size;
  if (lies_in_heap(device, size)) {
    const auto place = places.find({block, size});  // one of them, if addresses ever came round
    heap.give_back(place->second, size);
    places.erase(place);
  } else {
    ++kept[size];
  }
  addresses().give_back();
}
MemoryCounters MetaMemory::counters(Device device) const {
  std::lock_guard lock(mutex);
  return devices_[size_t(device)].counters;
}

}  // namespace kern
