// What happened before what in a block whose threads meet at mbarriers, where barriers of the block alone do not tell:
// vector clocks. From a block's first mbarrier, bulk copy or wgmma on, accesses to its shared memory are judged by these:
// a thread may touch a byte if it has learnt, along barriers, of whoever wrote it, and write it if of whoever read it too.
//
// Those who act are the block's threads and what works beside them: bulk copies, which are known to be done by who has
// waited for their mbarrier's phase, and wgmma, by who has waited for its group. These two see shared memory through the
// async proxy: what a thread stored reaches them only if a fence.proxy.async lies on the way.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/common/emulator/checks.h"

namespace kern::emulator {

inline constexpr unsigned kMostBarriers = 64, kWarpgroup = 128, kMostWarpgroups = 1024 / kWarpgroup;

// Of everybody who acts, up to which of their steps all is known to be done; and known with such a fence on the way.
struct Knowledge {
  std::vector<uint32_t> seen, fenced;
};

bool ordering();                        // whether this block's shared memory is judged so
void begin_ordering(unsigned threads);  // if it is not yet
void end_ordering();
void order_block_barrier();
void order_warp_barrier(uint32_t mask, unsigned warp);

// By the running thread.
void release_to(Knowledge& knowledge);
void acquire_from(const Knowledge& knowledge);
void fence_proxy();

unsigned barrier_actor(unsigned barrier);
unsigned warpgroup_actor(unsigned group);
void learn(unsigned actor, uint32_t step);                           // the running thread waited for it
void learn_of(Knowledge& knowledge, unsigned actor, uint32_t step);  // whoever acquires this will know
bool anybody_knows(unsigned actor, uint32_t step);
Knowledge least_of(unsigned first_thread, unsigned count);  // what all of these know

// Accesses to bytes of shared memory, counted from its beginning. Empty, or what is wrong with them.
std::string ordered_access(size_t at, size_t bytes, Access kind);
void forget_order(size_t at, size_t bytes);  // nobody has written there
// A bulk copy that the running thread begins, which will write there; landed() says in which step of whom.
uint32_t new_landing();
void landed(uint32_t landing, unsigned actor, uint32_t step);
std::string bulk_write(size_t at, size_t bytes, uint32_t landing);
std::string wgmma_read(size_t at, size_t bytes, const Knowledge& least, unsigned actor, uint32_t step);

}  // namespace kern::emulator
