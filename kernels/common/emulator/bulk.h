// mbarriers and bulk asynchronous copies (TMA) under emulation; kernels/common/hopper.cuh says what each does. A copy
// lands as late as it may, at once or at any moment between, as the seed says; who reads or writes its bytes must have
// waited for the phase of the mbarrier at which it completes (ordering.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/source_location.h"

namespace kern::emulator {

void mbarrier_init(uint64_t* barrier, unsigned arrivals, SourceLocation at);
void mbarrier_invalidate(uint64_t* barrier, SourceLocation at);
void fence_mbarrier_init(SourceLocation at);
void mbarrier_arrive(uint64_t* barrier, unsigned expected_bytes, SourceLocation at);
void mbarrier_expect(uint64_t* barrier, unsigned bytes, SourceLocation at);
void mbarrier_wait(uint64_t* barrier, unsigned parity, SourceLocation at);
void fence_proxy_async(SourceLocation at);

void bulk_copy(void* shared, const void* global, unsigned bytes, uint64_t* barrier, SourceLocation at);
void bulk_copy_tensor(void* shared, const void* map, const int* coordinates, unsigned rank, uint64_t* barrier,
                      SourceLocation at);

// For the scheduler.
void begin_bulk();                                 // a block begins
bool bulk_is_late(std::string& wrong);             // nobody can go on: lands a copy if there is one
void bulk_at_any_time(std::string& wrong);         // lands one perhaps
std::string end_bulk();                            // all threads have ended: what is wrong, if something is
std::string mbarrier_waited_for(unsigned thread);  // empty if it waits for something else

}  // namespace kern::emulator
