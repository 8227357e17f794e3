#include "kernels/common/emulator/checks.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <vector>

#include "kernels/common/emulator/block.h"
#include "kernels/common/emulator/heap.h"
#include "kernels/common/error.h"

extern "C" char __executable_start, _end;  // by the linker

namespace kern::emulator {
namespace {

// --- shared memory: who touched each two bytes last, and between which barriers ---
// Times count barriers. `block_time` of an access is the block's, `warp_time` the warp's count of __syncwarp.
struct SharedCell {
  uint32_t write_time = 0, read_time = 0;  // 0: never
  uint16_t writer = 0, reader = 0;
  uint16_t write_warp_time = 0, read_warp_time = 0;
  bool atomic = false;                                      // the write
  bool other_lanes_read = false, other_warps_read = false;  // since read_time, besides `reader`
};
constexpr size_t kCell = 2;
std::vector<SharedCell> shared_cells;
struct Range {
  uintptr_t begin;
  size_t bytes;
};
std::vector<Range> shared_ranges;
uintptr_t shared_low = ~uintptr_t{0};  // of all ranges this block was allowed
uintptr_t shared_base = 0;
uint32_t time_now = 0, block_began = 0;
uint16_t warp_time[kMaxThreads / kWarp];
Range stack{}, parameters{};
bool paused = false;

// --- global memory: who touched each word last in this launch ---
// launch << 34 | block << 2 | kind
enum Touch : uint64_t { kReadByOne = 0, kReadByMany = 1, kWritten = 2, kAtomic = 3 };
uint64_t launch_now = 0;
uint64_t block_now = 0;
uint64_t* global_cells() {
  static uint64_t* cells = [] {
    void* p = mmap(nullptr, kHeapBytes * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    return static_cast<uint64_t*>(p);
  }();
  return cells;
}

const char* verb(Access kind) {
  return kind == Access::read ? "reads" : kind == Access::write ? "writes" : "updates atomically";
}

// What is wrong with an access, or nothing.
std::string shared_access(uintptr_t address, size_t bytes, Access kind) {
  const auto range = std::find_if(shared_ranges.begin(), shared_ranges.end(),
                                  [&](const Range& r) { return address - r.begin < r.bytes; });
  if (range == shared_ranges.end() || address + bytes > range->begin + range->bytes)
    return text(verb(kind), " ", bytes, " bytes of shared memory outside the block's variables");
  const unsigned me = place.id, warp = place.warp();
  auto before_me = [&](uint32_t time, unsigned who, uint16_t its_warp_time) {
    return time < time_now || who == me || (who / kWarp == warp && its_warp_time < warp_time[warp]);
  };
  for (size_t i = (address - shared_base) / kCell, end = (address + bytes - 1 - shared_base) / kCell; i <= end; ++i) {
    SharedCell& c = shared_cells[i];
    const bool written = c.write_time >= block_began && c.write_time;
    if (kind != Access::write && !written) return text(verb(kind), " shared memory that nobody has written");
    const bool both_atomic = kind == Access::atomic && c.atomic;
    if (written && !both_atomic && !before_me(c.write_time, c.writer, c.write_warp_time))
      return text(verb(kind), " shared memory that thread ", c.writer, " of its block wrote with no barrier between");
    if (kind == Access::read) {
      if (c.read_time != time_now) {
        c.read_time = time_now;
        c.other_lanes_read = c.other_warps_read = false;
      } else if (c.reader != me) {
        if (c.reader / kWarp != warp) c.other_warps_read = true;
        else if (c.read_warp_time == warp_time[warp]) c.other_lanes_read = true;
        else c.other_lanes_read = false;
      }
      c.reader = uint16_t(me);
      c.read_warp_time = warp_time[warp];
      continue;
    }
    const bool read_now = c.read_time == time_now;
    if (read_now && (c.other_warps_read || !before_me(c.read_time, c.reader, c.read_warp_time) ||
                     (c.other_lanes_read && c.read_warp_time == warp_time[warp])))
      return text(verb(kind), " shared memory that other threads of its block read, thread ", c.reader,
                  " the last, with no barrier between");
    c.atomic = kind == Access::atomic;
    c.write_time = time_now;
    c.writer = uint16_t(me);
    c.write_warp_time = warp_time[warp];
  }
  return {};
}

std::string global_access(uintptr_t address, size_t bytes, Access kind) {
  if (!heap_holds(address, bytes)) return text(verb(kind), " ", bytes, " bytes ", heap_where(address));
  if (bytes < 4) return {};  // neighbours in one word are not told apart
  uint64_t* cell = global_cells() + (address - heap_begin()) / 4;
  const uint64_t stamp = launch_now << 34 | block_now << 2;
  for (size_t i = 0; i < bytes / 4; ++i, ++cell) {
    const uint64_t before = *cell, touch = before & 3;
    const bool now = before >> 34 == launch_now, mine = before >> 2 == stamp >> 2;
    if (now && !mine) {
      const uint64_t other = before >> 2 & 0xffffffff;
      if (kind == Access::read && (touch == kWritten || touch == kAtomic))
        return text(verb(kind), " global memory that block ", other, " wrote in the same launch");
      if (kind == Access::write)
        return text(verb(kind), " global memory that block ", other, touch == kWritten ? " wrote" : " reads",
                    " in the same launch");
      if (kind == Access::atomic && touch != kAtomic)
        return text(verb(kind), " global memory that block ", other, " touches plainly in the same launch");
    }
    if (kind == Access::write && now && mine && touch == kReadByMany)
      return text(verb(kind), " global memory that other blocks read in the same launch");
    if (kind == Access::write) *cell = stamp | kWritten;
    else if (kind == Access::atomic) *cell = stamp | kAtomic;
    else if (!now) *cell = stamp | kReadByOne;
    else if (touch == kReadByOne && !mine) *cell = stamp | kReadByMany;
  }
  return {};
}

// Code, constants and globals of the program lie below its heap and stacks; kernels may read constants.
bool in_program(uintptr_t address) {
  return address >= reinterpret_cast<uintptr_t>(&__executable_start) && address < reinterpret_cast<uintptr_t>(&_end);
}

std::string device_access(uintptr_t address, size_t bytes, Access kind) {
  if (address - stack.begin < stack.bytes) return {};
  if (bytes <= 16 && (bytes & (bytes - 1)) == 0 && address % bytes != 0 && (in_heap(address) || address >= shared_low))
    return text(verb(kind), " ", bytes, " bytes at an address that is not a multiple of ", bytes);
  if (in_heap(address)) return global_access(address, bytes, kind);
  if (address - shared_base < 2 * kSharedBytes) return shared_access(address, bytes, kind);
#ifdef KERN_COVERAGE
  if (in_program(address)) return {};  // gcov's counters, which the compiler lets kernels write
#endif
  if (kind == Access::read && (in_program(address) || address - parameters.begin < parameters.bytes)) return {};
  return text(verb(kind), " ", bytes, " bytes of the host's memory");
}

}  // namespace

void begin_launch(uintptr_t begin, size_t bytes) {
  parameters = {begin, bytes};
  launch_now = (launch_now + 1) & 0x3fffffff;
  if (launch_now == 0) launch_now = 1;
}
void begin_block(uint32_t number) {
  block_now = number;
  block_began = ++time_now;
  shared_ranges.clear();
  shared_low = ~uintptr_t{0};
  std::fill(std::begin(warp_time), std::end(warp_time), uint16_t{0});
}
void allow_shared(uintptr_t begin, size_t bytes) {
  if (!shared_base) {
    shared_base = begin / 4096 * 4096;
    shared_cells.resize(2 * kSharedBytes / kCell);
  }
  shared_ranges.push_back({begin, bytes});
  shared_low = std::min(shared_low, begin);
}
void forget_written(uintptr_t begin, size_t bytes) {
  for (size_t i = (begin - shared_base) / kCell; i <= (begin + bytes - 1 - shared_base) / kCell; ++i)
    shared_cells[i].write_time = 0;
}
void note_block_barrier() { ++time_now; }
void note_warp_barrier(uint32_t, unsigned warp) { ++warp_time[warp]; }
ChecksPaused::ChecksPaused() : before_(paused) { paused = true; }
ChecksPaused::~ChecksPaused() { paused = before_; }
void set_checks_paused(bool on) { paused = on; }
void set_stack(uintptr_t begin, size_t bytes) { stack = {begin, bytes}; }

void check_access(uintptr_t address, size_t bytes, Access kind, void* pc) {
  if (bytes == 0 || paused) return;
  const ChecksPaused pause;
  if (in_kernel()) {
    const std::string wrong = device_access(address, bytes, kind);
    if (!wrong.empty()) fault(wrong, pc);
  } else if (in_heap(address) && !host_may_touch(address)) {
    fault(text("the host ", verb(kind), " memory of the card, ", heap_where(address)), pc);
  }
}
void check_read(const void* address, size_t bytes, SourceLocation at) {
  const ChecksPaused pause;
  const std::string wrong = device_access(reinterpret_cast<uintptr_t>(address), bytes, Access::read);
  if (!wrong.empty()) fault(wrong, at);
}
void check_write(const void* address, size_t bytes, SourceLocation at) {
  const ChecksPaused pause;
  const std::string wrong = device_access(reinterpret_cast<uintptr_t>(address), bytes, Access::write);
  if (!wrong.empty()) fault(wrong, at);
}
void check_atomic(const void* address, size_t bytes, SourceLocation at) {
  const ChecksPaused pause;
  const std::string wrong = device_access(reinterpret_cast<uintptr_t>(address), bytes, Access::atomic);
  if (!wrong.empty()) fault(wrong, at);
}

}  // namespace kern::emulator

// The calls that -fsanitize=thread makes. Only kernels' sources are compiled with it.
#define KERN_HOOK(name, bytes, kind)                                                                        \
  extern "C" void name(void* address) {                                                                     \
    kern::emulator::check_access(reinterpret_cast<uintptr_t>(address), bytes, kern::emulator::Access::kind, \
                                 __builtin_return_address(0));                                              \
  }
KERN_HOOK(__tsan_read1, 1, read)
KERN_HOOK(__tsan_read2, 2, read)
KERN_HOOK(__tsan_read4, 4, read)
KERN_HOOK(__tsan_read8, 8, read)
KERN_HOOK(__tsan_read16, 16, read)
KERN_HOOK(__tsan_write1, 1, write)
KERN_HOOK(__tsan_write2, 2, write)
KERN_HOOK(__tsan_write4, 4, write)
KERN_HOOK(__tsan_write8, 8, write)
KERN_HOOK(__tsan_write16, 16, write)
KERN_HOOK(__tsan_unaligned_read2, 2, read)
KERN_HOOK(__tsan_unaligned_read4, 4, read)
KERN_HOOK(__tsan_unaligned_read8, 8, read)
KERN_HOOK(__tsan_unaligned_read16, 16, read)
KERN_HOOK(__tsan_unaligned_write2, 2, write)
KERN_HOOK(__tsan_unaligned_write4, 4, write)
KERN_HOOK(__tsan_unaligned_write8, 8, write)
KERN_HOOK(__tsan_unaligned_write16, 16, write)
KERN_HOOK(__tsan_volatile_read1, 1, read)
KERN_HOOK(__tsan_volatile_read2, 2, read)
KERN_HOOK(__tsan_volatile_read4, 4, read)
KERN_HOOK(__tsan_volatile_read8, 8, read)
KERN_HOOK(__tsan_volatile_write1, 1, write)
KERN_HOOK(__tsan_volatile_write2, 2, write)
KERN_HOOK(__tsan_volatile_write4, 4, write)
KERN_HOOK(__tsan_volatile_write8, 8, write)
extern "C" void __tsan_read_range(void* address, size_t bytes) {
  kern::emulator::check_access(reinterpret_cast<uintptr_t>(address), bytes, kern::emulator::Access::read,
                               __builtin_return_address(0));
}
extern "C" void __tsan_write_range(void* address, size_t bytes) {
  kern::emulator::check_access(reinterpret_cast<uintptr_t>(address), bytes, kern::emulator::Access::write,
                               __builtin_return_address(0));
}
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}

// Atomics of the host's code in the same files (reference counts, guards of statics): done as they are.
#define KERN_HOST_ATOMIC_FETCH(bits, name, builtin)                                                           \
  extern "C" uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t* p, uint##bits##_t v, int) { \
    return builtin(p, v, __ATOMIC_SEQ_CST);                                                                   \
  }
#define KERN_HOST_ATOMICS(bits)                                                                                      \
  extern "C" uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t* p, int) {                      \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                                     \
  }                                                                                                                  \
  extern "C" void __tsan_atomic##bits##_store(volatile uint##bits##_t* p, uint##bits##_t v, int) {                   \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                                                        \
  }                                                                                                                  \
  extern "C" int __tsan_atomic##bits##_compare_exchange_strong(volatile uint##bits##_t* p, uint##bits##_t* expected, \
                                                               uint##bits##_t v, int, int) {                         \
    return __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                   \
  }                                                                                                                  \
  extern "C" int __tsan_atomic##bits##_compare_exchange_weak(volatile uint##bits##_t* p, uint##bits##_t* expected,   \
                                                             uint##bits##_t v, int, int) {                           \
    return __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                   \
  }                                                                                                                  \
  KERN_HOST_ATOMIC_FETCH(bits, exchange, __atomic_exchange_n)                                                        \
  KERN_HOST_ATOMIC_FETCH(bits, fetch_add, __atomic_fetch_add)                                                        \
  KERN_HOST_ATOMIC_FETCH(bits, fetch_sub, __atomic_fetch_sub)                                                        \
  KERN_HOST_ATOMIC_FETCH(bits, fetch_and, __atomic_fetch_and)                                                        \
  KERN_HOST_ATOMIC_FETCH(bits, fetch_or, __atomic_fetch_or)
KERN_HOST_ATOMICS(8)
KERN_HOST_ATOMICS(16)
KERN_HOST_ATOMICS(32)
KERN_HOST_ATOMICS(64)
