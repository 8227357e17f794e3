#include "engine/host_copy.h"

#include <cstring>
#include <mutex>

#include "engine/gpu.h"

namespace kern {
namespace {
constexpr size_t kMax = 64;
}

struct HostCopy::Slot {
  PinnedMemory memory{kMax * sizeof(float)};
  CudaEvent there;
  // Slots are used again: pinned memory is slow to come by. Never destroyed, as the GPU itself.
  static std::shared_ptr<Slot> take() {
    static std::mutex& mutex = *new std::mutex;
    static std::vector<Slot*>& free = *new std::vector<Slot*>;
    std::lock_guard lock(mutex);
    Slot* slot = nullptr;
    if (free.empty()) {
      slot = new Slot;
    } else {
      slot = free.back();
      free.pop_back();
    }
    // A copy into it that nobody asked for may still be under way: the next one comes after it in the stream.
    return {slot, [](Slot* s) {
              std::lock_guard again(mutex);
              free.push_back(s);
            }};
  }
};

HostCopy::HostCopy(const Tensor& t, SourceLocation at) : size_(size_t(t.size())) {
  check({size_ <= kMax && t.dense(), at}, "a step reports at most ", kMax, " values of a dense tensor, this one is ",
        t.shape());
  if (t.device() == Device::cpu || t.impl().storage->is_meta()) {
    values_ = t.values();
    return;
  }
  slot_ = Slot::take();
  copy_later(Device::cpu, slot_->memory.data(), t.device(), t.data(), size_ * sizeof(float));
  slot_->there.record();
}

std::vector<float> HostCopy::values() const {
  if (!slot_) return values_;
  slot_->there.wait();
  std::vector<float> values(size_);
  std::memcpy(values.data(), slot_->memory.data(), size_ * sizeof(float));
  return values;
}

}  // namespace kern
