// What instructions that wait in ways of their own (bulk.h, warpgroup.h) ask of the block that runs.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/common/source_location.h"

namespace kern::emulator {

unsigned block_threads();
void wait_for(const char* what, SourceLocation at);  // until somebody wakes this thread
void wake(unsigned thread);
bool has_ended(unsigned thread);
uint32_t random_below(size_t n);
bool in_shared_memory(const void* p);
size_t shared_offset(const void* p);  // from the beginning of the block's shared memory, as the hardware counts it
std::byte* shared_at(size_t offset);

}  // namespace kern::emulator
