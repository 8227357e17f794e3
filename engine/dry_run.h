// How much memory a step will need, known exactly before the first one and for any size:
//
//   {
//     const DryRun dry_run;  // this thread, until the end of the scope
//     method.step(Tensor::empty({64, 512, 512, 3}));
//     bytes = memory_counters().live + dry_run.counters().peak;
//   }
//
// The very same code runs, forward, loss, backward and optimiser, but nothing is computed and no memory is touched:
//  - select() hands out implementations whose kernels do nothing (kernels/common/meta.h);
//  - a new tensor or workspace gets an address that stands for no memory, and is counted by the rules of real memory,
//    its reuse too (MemoryCounters::reserved: what the process takes from the system, once two steps have run);
//  - what writes values in the engine writes nothing, and what reads those of a tensor made here finds zeros.
// So parameters, gradients, moments, running statistics, step counts and random generators are afterwards what they
// were, to the bit. (Versions of tensors may move, and switches are no values: training mode, learning rate.)
// A tensor made in a dry run is of no use after it: using its values is an error.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/block_heap.h"
#include "engine/memory.h"

namespace kern {

class Tensor;

class DryRun {
 public:
  DryRun();
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;
  // Of what was made in this dry run; nothing that existed before is in it.
  MemoryCounters counters(Device device = Device::cpu) const;

  static DryRun* current();  // of this thread; null outside
  // For the engine, before the gradient of a leaf changes: it is put back at the dry run's end.
  static void keep_gradient(const Tensor& leaf);

 private:
  friend class MetaMemory;
  struct KeptGradient;
  DryRun* before_;
  bool meta_impls_before_;
  std::shared_ptr<MetaMemory> memory_;
  std::vector<KeptGradient> gradients_;
};
inline bool in_dry_run() { return DryRun::current() != nullptr; }

// State besides tensors (a step count, say) that a function changes: in a dry run it is put back when the function
// returns.
template <class... T>
class KeptInDryRun {
 public:
  explicit KeptInDryRun(T&... values) : values_(values...), before_(values...) {}
  ~KeptInDryRun() {
    if (in_dry_run()) values_ = before_;
  }
  KeptInDryRun(const KeptInDryRun&) = delete;
  KeptInDryRun& operator=(const KeptInDryRun&) = delete;

 private:
  std::tuple<T&...> values_;
  std::tuple<T...> before_;
};

// The memory of a dry run, for Storage: sizes are those that real memory would be counted with. A block may outlive
// the dry run.
class MetaMemory {
 public:
  static std::shared_ptr<MetaMemory> of_this_thread();  // null outside of dry runs
  std::byte* take(Device device, size_t size);          // 64-byte aligned; zeros, if somebody reads there
  void give_back(Device device, std::byte* block, size_t size);
  MemoryCounters counters(Device device) const;

 private:
  struct OfDevice {
    MemoryCounters counters;
    // What is kept for reuse, as real memory keeps it: gaps of a heap, and free blocks by size.
    BlockHeap heap;
    std::multimap<std::pair<std::byte*, size_t>, size_t> places;  // in the heap, of blocks (address, size)
    std::map<size_t, int64_t> kept;
  };
  std::array<OfDevice, 2> devices_;
};

}  // namespace kern
