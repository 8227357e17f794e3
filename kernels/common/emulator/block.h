// What the emulator's parts share: the thread that is running, its block, and how a fault is reported.
//
// Blocks run one after another and every thread of a block is a fiber; whoever waits at a barrier gives way. Which
// thread goes on next is drawn at random (KERN_EMULATOR_SEED, 1 unless set), so that a kernel that depends on the order
// shows it. A thread that never waits runs through at the cost of a function call.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "kernels/common/source_location.h"

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

namespace kern::emulator {

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kMaxThreads = 1024;
inline constexpr size_t kSharedBytes = 227 * 1024;       // the most that one block of any emulated device may have
inline constexpr size_t kStaticSharedBytes = 48 * 1024;  // and what of it without cudaFuncSetAttribute

// Where the running thread stands; what threadIdx and its like read.
struct Place {
  uint3 thread{}, block{};
  dim3 block_size, grid_size;
  unsigned id = 0;  // of the thread in its block
  unsigned lane() const { return id % kWarp; }
  unsigned warp() const { return id / kWarp; }
};
extern Place place;
bool in_kernel();

struct Launch {
  std::string name;
  dim3 grid, block;
  size_t shared_bytes = 0;                   // dynamic
  size_t shared_limit = kStaticSharedBytes;  // with the static ones; set as the work is given to the device
  void (*kernel)() = nullptr;
  std::shared_ptr<const void> parameters;  // a copy that every thread may read
  size_t parameter_bytes = 0;
  void (*call)(void (*kernel)(), const void* parameters) = nullptr;
};
// What no device takes, in a sentence; empty when it is taken. Asked at the launch.
std::string refused(const Launch& launch);
// Runs every thread of every block. Returns what was wrong, in a sentence; empty when nothing was.
std::string run(const Launch& launch);
size_t static_shared_bytes();  // of the kernel that ran last

// From inside a kernel: notes what is wrong, with the thread and its line, and ends the launch. From outside a kernel
// (pc given) it is kept until the next call of the runtime asks.
void fault(const std::string& what, SourceLocation at);
void fault(const std::string& what, void* pc);
std::string take_host_fault();

void shuffle_fault(const char* what, int source, SourceLocation at);
// A wide access must begin at a multiple of its size; the compiler may take it apart, so load() and store() ask.
void check_aligned(const void* address, size_t bytes, SourceLocation at);

void set_seed(uint64_t seed);
uint64_t seed();

// Barriers and exchanges among threads. `at` is the line in the kernel: those who meet must stand at the same one.
void block_barrier(SourceLocation at);
int block_vote(int predicate, int (*combine)(int count, int size), SourceLocation at);

// All lanes of `mask` meet; each brings `size` bytes; the last to come calls combine, which reads lane l's bytes at
// bring[l] and writes lane l's result (at most kPayload bytes) to take[l].
inline constexpr size_t kPayload = 128;
struct Exchange {
  uint32_t mask;
  alignas(16) std::byte bring[kWarp][kPayload];
  alignas(16) std::byte take[kWarp][kPayload];
};
void warp_exchange(const char* what, uint32_t mask, const void* bring, size_t bring_bytes, void* take,
                   size_t take_bytes, void (*combine)(Exchange&), SourceLocation at);
void warp_barrier(uint32_t mask, SourceLocation at);

// A block's shared memory. `key` tells variables apart: the address of a static of the place that declares one.
void* shared_variable(const void* key, size_t bytes, size_t alignment, SourceLocation at);
void* dynamic_shared();

// cp.async: 4, 8 or 16 bytes that land in shared memory when their group has been waited for, not before; of them
// `valid` come from global memory, the rest are zeros.
void copy_async(void* shared, const void* global, unsigned bytes, unsigned valid, SourceLocation at);
void copy_async_commit();
void copy_async_wait(unsigned groups_left);

// Memory as the checks see it (memory.cpp): called for what the compiler's hooks do not see, with the kernel's line.
void check_read(const void* address, size_t bytes, SourceLocation at);
void check_write(const void* address, size_t bytes, SourceLocation at);
void check_atomic(const void* address, size_t bytes, SourceLocation at);
void peek(const void* address, void* into, size_t bytes);  // without a check
void poke(void* address, const void* from, size_t bytes);

}  // namespace kern::emulator
