// The emulated GPU's memory: one range of addresses, of which allocations take pieces with gaps between them. What was
// freed is not given out again, so that a late access is caught.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace kern::emulator {

enum class MemoryKind { device, pinned };

inline constexpr size_t kHeapBytes = size_t{256} << 30;  // of addresses, not of memory
uintptr_t heap_begin();
inline bool in_heap(uintptr_t address) { return address - heap_begin() < kHeapBytes; }

void* heap_take(size_t bytes, MemoryKind kind);  // null when the GPU is full
bool heap_give_back(void* p);                    // false: not the beginning of an allocation
size_t heap_live();                              // bytes of device memory in use
size_t heap_capacity();                          // of the GPU: KERN_EMULATOR_MEMORY in MiB, 4096 unless set
bool heap_holds(uintptr_t address, size_t bytes);
const uint16_t* heap_valid_bytes();         // of each 512: how many, from the first, belong to an allocation
bool host_may_touch(uintptr_t address);     // pinned
std::string heap_where(uintptr_t address);  // "16 bytes behind an allocation of 4096 bytes"
void heap_copy(void* to, const void* from, size_t bytes);    // past a sanitizer's eyes
void heap_set(void* to, unsigned char value, size_t bytes);  // likewise

}  // namespace kern::emulator
