// Memory of tensors: blocks of 64-byte aligned storage, kept for reuse when they are freed, and counted.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
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

// The GPU's memory that recorded work writes to and reads from whenever it is launched. Every block that is taken or
// handed back within a Scope belongs to it from then on: it comes back here, and serves nobody else, until this dies.
class KeptBlocks {
 public:
  // give_up: called when memory is short, outside of its scopes; it may destroy this.
  explicit KeptBlocks(std::function<void()> give_up);
  ~KeptBlocks();
  KeptBlocks(const KeptBlocks&) = delete;
  KeptBlocks& operator=(const KeptBlocks&) = delete;

  class Scope {  // of this thread
   public:
    explicit Scope(KeptBlocks& blocks);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    KeptBlocks* before_;
  };
  const std::function<void()>& give_up() const { return give_up_; }

 private:
  std::function<void()> give_up_;
};

class MetaMemory;  // of a dry run: counted, but no memory (engine/dry_run.h)

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
  bool is_meta() const { return bool(meta_); }  // made in a dry run: an address that stands for no memory

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
  Device device_;
  std::shared_ptr<MetaMemory> meta_;
};

}  // namespace kern
