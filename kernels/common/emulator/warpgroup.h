// wgmma and setmaxnreg under emulation; kernels/common/wgmma.cuh says what each does. A product is computed as its group is
// waited for, or at once, as the seed says; its results lie in the threads' registers when each has waited, and until then
// NaN lies there and nobody may look.
#pragma once
#include <cstdint>
#include <string>

#include "kernels/common/emulator/checks.h"
#include "kernels/common/source_location.h"

namespace kern::emulator {

enum class WgmmaType { bf16, tf32 };
struct Wgmma {
  WgmmaType type;
  unsigned n;               // D is 64 by n
  uint64_t a, b;            // descriptors
  bool a_across, b_across;  // MN-major: neighbours along m (or n) lie side by side, not those along k
  bool add;                 // to what is in D
  bool operator==(const Wgmma&) const = default;
};
void wgmma_fence(SourceLocation at);
void wgmma(float* d, const Wgmma& what, SourceLocation at);
void wgmma_commit(SourceLocation at);
void wgmma_wait(unsigned groups_left, SourceLocation at);
void set_registers(unsigned count, bool more, SourceLocation at);

// For the scheduler.
void begin_warpgroups();       // a block begins
void end_warpgroup_thread();   // the running thread ends
std::string end_warpgroups();  // all have ended: what is wrong, if something is

// Whether threads have sums of wgmma in registers (which lie on their stacks here); then each access to a thread's own
// stack is looked at.
extern bool accumulators_watched;
void check_accumulators(uintptr_t address, size_t bytes, void* pc);

}  // namespace kern::emulator
