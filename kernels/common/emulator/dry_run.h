// A dry run of the emulated device: while a DryRun lives, launches, copies and fills are written down and not executed,
// and memory is handed out without being touched, as much of it as a real GPU has. So the whole host code of a step of
// any size runs, graph capture included, in the time that the host takes. Copies to the host give zeros.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/common/emulator/block.h"

namespace kern::emulator {

inline constexpr size_t kDryCapacity = size_t{80} << 30;  // bytes: an H100's memory

// What a graph has as one node.
struct DryNode {
  enum class Kind { kernel, fill, copy, library };
  Kind kind;
  std::string name;  // of a kernel, as its launch has it
  dim3 grid, block;
  size_t shared_bytes = 0;  // dynamic
  size_t bytes = 0;         // written by a fill, read and written by a copy
  int tag = -1;             // DryRun::tag as it was
};

// One at a time, of the whole process; not while work is waiting in a stream.
class DryRun {
 public:
  DryRun();
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  static DryRun* current();
  const std::vector<DryNode>& captured() const { return captured_; }  // what went into graphs, in order
  void forget() { captured_.clear(); }
  int tag = -1;  // whatever the host wants its next nodes to carry

  void note(DryNode node, bool capturing);  // for the runtime

 private:
  std::vector<DryNode> captured_;
};

}  // namespace kern::emulator
