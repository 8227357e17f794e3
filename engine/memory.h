// Memory of tensors: blocks of 64-byte aligned storage, kept for reuse when they are freed, and counted.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/common/device.h"

namespace kern {

struct MemoryCounters {
  size_t live = 0;           // bytes in use by tensors and workspaces
  size_t peak = 0;           // the most that was ever live
  size_t reserved = 0;       // live plus what is kept for reuse
  uint64_t allocations = 0;  // requests the system's allocator had to serve
};
MemoryCounters memory_counters(Device device = Device::cpu);
void reset_peak_memory(Device device = Device::cpu);
void release_unused_memory(Device device = Device::cpu);

class HollowMemory;  // of a rehearsal: counted, but no memory (engine/rehearsal.h)

// A block of device memory, handed back when destroyed. Contents are undefined (NaN in debug builds).
class Storage {
 public:
  Storage(Device device, size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  bool hollow() const { return bool(hollow_); }  // made in a rehearsal: an address that stands for no memory

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
  Device device_;
  std::shared_ptr<HollowMemory> hollow_;
};

}  // namespace kern
