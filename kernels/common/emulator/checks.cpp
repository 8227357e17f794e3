#include "kernels/common/emulator/checks.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "kernels/common/emulator/block.h"
#include "kernels/common/emulator/heap.h"
#include "kernels/common/emulator/ordering.h"
#include "kernels/common/emulator/warpgroup.h"
#include "kernels/common/error.h"

extern "C" char __executable_start, _end;  // by the linker

namespace kern::emulator {
namespace {

// Who touched a value last, and when. Times count the beginnings of launches and blocks and the barriers of blocks, so
// that one number says launch, block and the chunk between two barriers; `*_warp_time` are the warp's __syncwarp in
// its block. A value is a word of 4 bytes; a word of which a part was touched alone is split for the rest of the
// launch: then there is one of these for each byte.
struct Cell {
  uint32_t write_time, read_time;  // 0: never
  uint16_t writer, reader;         // thread of its block, and flags
  uint16_t write_warp_time, read_warp_time;
};
constexpr uint16_t kThread = 0x3ff;
constexpr uint16_t kAtomic = 0x400, kSplit = 0x800;                               // of writer
constexpr uint16_t kLanesRead = 0x400, kWarpsRead = 0x800, kBlocksRead = 0x1000;  // others besides `reader`
static_assert(kMaxThreads <= kThread + 1);

// Memory that costs nothing until it is touched, and begins as zeros.
template <class T>
T* reserve(size_t count) {
  void* p =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return static_cast<T*>(p);
}
template <class T>
void drop(T* p, size_t count) {
  madvise(p, count * sizeof(T), MADV_DONTNEED);
}
struct Cells {
  Cell *words, *bytes;
  size_t size;  // in bytes of what they stand for
  explicit Cells(size_t n) : words(reserve<Cell>(n / 4)), bytes(reserve<Cell>(n)), size(n) {}
  void forget() { drop(words, size / 4), drop(bytes, size); }
};
Cells& global_cells() {
  static Cells& cells = *new Cells(kHeapBytes);
  return cells;
}
Cells& shared_cells() {
  static Cells& cells = *new Cells(2 * kSharedBytes + 4096);
  return cells;
}
// A bit for each byte of global memory: somebody has written it since it was allocated. Never of what was freed.
uint8_t* written_bits() {
  static uint8_t* bits = reserve<uint8_t>(kHeapBytes / 8);
  return bits;
}

struct Range {
  uintptr_t begin;
  size_t bytes;
};
std::vector<Range> shared_ranges;
uintptr_t shared_low = ~uintptr_t{0};  // of all ranges this block was allowed
uintptr_t shared_base = 0;
uint32_t time_now = 0, launch_began = 0, block_began = 0, ordering_began = 0;
struct BlockOfLaunch {
  uint32_t began, number;
};
std::vector<BlockOfLaunch> blocks_of_launch;
uint16_t warp_time[kMaxThreads / kWarp];
Range stack{}, parameters{};
bool paused = false, kernel_runs = false;
// What the hooks ask for at every access, found once a launch.
uintptr_t heap_base = 0;
const uint16_t* heap_valid = nullptr;
Cell* words_of_heap = nullptr;
uint8_t* written = nullptr;

const char* verb(Access kind) {
  return kind == Access::read ? "reads" : kind == Access::write ? "writes" : "updates atomically";
}

// Which touches count: those since `since`; and those between `since` and block_began are another block's.
// Shared memory begins anew with every block.
enum class Clash { none, unwritten, writer_in_block, writer_elsewhere, reader_in_block, reader_elsewhere, split };

inline bool before_me(uint16_t who, uint16_t its_warp_time) {
  const unsigned other = who & kThread, me = place.id;
  return other == me || (other / kWarp == me / kWarp && its_warp_time < warp_time[me / kWarp]);
}
template <bool kShared, Access kKind>
inline Clash clash_of(const Cell& c) {
  const uint32_t since = kShared ? block_began : launch_began;
  if (c.write_time >= since) {
    if (c.writer & kSplit) return Clash::split;
    if (kKind != Access::atomic || !(c.writer & kAtomic)) {
      if (c.write_time < block_began) return Clash::writer_elsewhere;
      if (c.write_time == time_now && !before_me(c.writer, c.write_warp_time)) return Clash::writer_in_block;
    }
  } else if (kShared && kKind != Access::write) {
    return Clash::unwritten;
  }
  if (kKind == Access::read || c.read_time < since) return Clash::none;
  if (c.read_time < block_began || (c.reader & kBlocksRead)) return Clash::reader_elsewhere;
  if (c.read_time == time_now && ((c.reader & kWarpsRead) || !before_me(c.reader, c.read_warp_time) ||
                                  ((c.reader & kLanesRead) && c.read_warp_time == warp_time[place.id / kWarp])))
    return Clash::reader_in_block;
  return Clash::none;
}
template <bool kShared, Access kKind>
inline void note(Cell& c) {
  const unsigned me = place.id;
  const uint16_t of_warp = warp_time[me / kWarp];
  if (kKind != Access::read) {
    c.write_time = time_now;
    c.writer = uint16_t(me | (kKind == Access::atomic ? kAtomic : 0));
    c.write_warp_time = of_warp;
    return;
  }
  const uint32_t since = kShared ? block_began : launch_began;
  uint16_t others = 0;
  if (c.read_time >= since) {
    others = c.reader & kBlocksRead;
    if (c.read_time < block_began) {
      others = kBlocksRead;
    } else if (c.read_time == time_now) {
      const unsigned last = c.reader & kThread;
      others |= c.reader & kWarpsRead;
      if (last / kWarp != me / kWarp) others |= kWarpsRead;
      else if (c.read_warp_time == of_warp) others |= last != me ? kLanesRead : c.reader & kLanesRead;
    }
  }
  c.read_time = time_now;
  c.reader = uint16_t(me | others);
  c.read_warp_time = of_warp;
}

// One byte's cell, of a word that is split now.
Cell* split(Cells& cells, size_t word, uint32_t since) {
  Cell& c = cells.words[word];
  Cell* const of_bytes = cells.bytes + 4 * word;
  if (c.write_time < since || !(c.writer & kSplit)) {
    std::fill(of_bytes, of_bytes + 4, c);
    c.writer = kSplit;
  }
  c.write_time = c.read_time = time_now;
  return of_bytes;
}

// Any access to memory that is there: checks and notes it. `culprit` is a copy of the cell it clashes with.
template <bool kShared, Access kKind>
Clash touch(Cells& cells, size_t at, size_t bytes, Cell* culprit) {
  const uint32_t since = kShared ? block_began : launch_began;
  for (size_t end = at + bytes; at < end;) {
    const size_t word = at / 4, here = std::min(end, 4 * word + 4) - at;
    Cell* first = cells.words + word;
    size_t count = 1;
    if (here < 4 || (first->write_time >= since && (first->writer & kSplit))) {
      first = split(cells, word, since) + at % 4;
      count = here;
    }
    for (size_t i = 0; i < count; ++i) {
      if (const Clash clash = clash_of<kShared, kKind>(first[i]); clash != Clash::none) {
        *culprit = first[i];
        return clash;
      }
      note<kShared, kKind>(first[i]);
    }
    at += here;
  }
  return Clash::none;
}
template <bool kShared>
Clash touch(Cells& cells, size_t at, size_t bytes, Access kind, Cell* culprit) {
  return kind == Access::read    ? touch<kShared, Access::read>(cells, at, bytes, culprit)
         : kind == Access::write ? touch<kShared, Access::write>(cells, at, bytes, culprit)
                                 : touch<kShared, Access::atomic>(cells, at, bytes, culprit);
}

unsigned block_at(uint32_t time) {
  const auto next = std::upper_bound(blocks_of_launch.begin(), blocks_of_launch.end(), time,
                                     [](uint32_t t, const BlockOfLaunch& b) { return t < b.began; });
  return next == blocks_of_launch.begin() ? 0 : std::prev(next)->number;
}
std::string clash_text(const char* memory, Access kind, Clash clash, const Cell& c) {
  const std::string begin = text(verb(kind), " ", memory, " memory that ");
  switch (clash) {
    case Clash::none:
    case Clash::split:
      break;
    case Clash::unwritten:
      return begin + "nobody has written";
    case Clash::writer_in_block:
      return text(begin, "thread ", c.writer & kThread, " of its block wrote with no barrier between");
    case Clash::writer_elsewhere:
      return text(begin, "block ", block_at(c.write_time), c.writer & kAtomic ? " updates atomically" : " wrote",
                  " in the same launch");
    case Clash::reader_in_block:
      if (c.reader & (kLanesRead | kWarpsRead))
        return text(begin, "other threads of its block read, thread ", c.reader & kThread,
                    " the last, with no barrier between");
      return text(begin, "thread ", c.reader & kThread, " of its block read with no barrier between");
    case Clash::reader_elsewhere:
      if (c.reader & kBlocksRead) return begin + "other blocks read in the same launch";
      return text(begin, "block ", block_at(c.read_time), " reads in the same launch");
  }
  return {};
}

// What is wrong with an access, or nothing.
std::string shared_access(uintptr_t address, size_t bytes, Access kind) {
  const auto range = std::find_if(shared_ranges.begin(), shared_ranges.end(),
                                  [&](const Range& r) { return address - r.begin < r.bytes; });
  if (range == shared_ranges.end() || address + bytes > range->begin + range->bytes)
    return text(verb(kind), " ", bytes, " bytes of shared memory outside the block's variables");
  if (ordering()) return ordered_access(address - shared_base, bytes, kind);
  Cell culprit;
  const Clash clash = touch<true>(shared_cells(), address - shared_base, bytes, kind, &culprit);
  return clash == Clash::none ? std::string() : clash_text("shared", kind, clash, culprit);
}

bool all_written(size_t at, size_t bytes) {
  for (size_t i = at; i < at + bytes; ++i)
    if (!(written[i / 8] >> (i % 8) & 1)) return false;
  return true;
}
void set_written(size_t at, size_t bytes, bool yes) {
  uint8_t* const bits = written_bits();
  const auto set_one = [&](size_t i) {
    const auto bit = uint8_t(1u << (i % 8));
    bits[i / 8] = uint8_t(yes ? bits[i / 8] | bit : bits[i / 8] & ~bit);
  };
  for (; bytes > 0 && at % 8 != 0; ++at, --bytes) set_one(at);
  for (const size_t end = at / 8 + bytes / 8; at / 8 < end; at += 8, bytes -= 8) bits[at / 8] = yes ? 0xff : 0;
  for (; bytes > 0; ++at, --bytes) set_one(at);
}

std::string global_access(uintptr_t address, size_t bytes, Access kind) {
  if (!heap_holds(address, bytes)) return text(verb(kind), " ", bytes, " bytes ", heap_where(address));
  const size_t at = address - heap_base;
  if (kind != Access::write && !all_written(at, bytes))
    return text(verb(kind), " ", bytes, " bytes of global memory that nobody has written, ", heap_where(address));
  Cell culprit;
  const Clash clash = touch<false>(global_cells(), at, bytes, kind, &culprit);
  if (clash != Clash::none) return text(clash_text("global", kind, clash, culprit), ", ", heap_where(address));
  if (kind != Access::read) set_written(at, bytes, true);
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

// An access of whole words of global memory that is as it should be, which most are, is noted here; whatever else is
// left to device_access.
template <size_t kBytes, Access kKind>
inline bool plain_access(uintptr_t address) {
  const size_t at = address - heap_base;
  if (kBytes < 4 || at >= kHeapBytes || at % kBytes != 0) return false;
  constexpr unsigned kBits = (1u << std::min<size_t>(kBytes, 16)) - 1;
  unsigned bits;
  if (kBytes == 16) {
    uint16_t two;
    std::memcpy(&two, written + at / 8, 2);
    bits = two;
  } else {
    bits = unsigned(written[at / 8]) >> (at % 8) & kBits;
  }
  if (kKind == Access::read ? bits != kBits : at % 512 + kBytes > heap_valid[at / 512]) return false;
  Cell* const cell = words_of_heap + at / 4;
  for (size_t i = 0; i < kBytes / 4; ++i) {
    if (clash_of<false, kKind>(cell[i]) != Clash::none) return false;
    note<false, kKind>(cell[i]);
  }
  if (kKind == Access::write && bits != kBits) {
    if (kBytes == 16) std::memset(written + at / 8, 0xff, 2);
    else written[at / 8] = uint8_t(written[at / 8] | kBits << (at % 8));
  }
  return true;
}
template <size_t kBytes, Access kKind>
inline void hook(void* address, void* pc) {
  const auto a = reinterpret_cast<uintptr_t>(address);
  if (paused) return;
  if (kernel_runs) {
    if (a - stack.begin < stack.bytes) {
      if (accumulators_watched) check_accumulators(a, kBytes, pc);
      return;
    }
    if (plain_access<kBytes, kKind>(a)) return;
  }
  check_access(a, kBytes, kKind, pc);
}

}  // namespace

void begin_launch(uintptr_t begin, size_t bytes) {
  parameters = {begin, bytes};
  heap_base = heap_begin();
  heap_valid = heap_valid_bytes();
  words_of_heap = global_cells().words;
  written = written_bits();
  if (time_now > 0xe0000000u) {  // times begin anew, and a launch has half a thousand million of them at least
    global_cells().forget();
    shared_cells().forget();
    time_now = 0;
  }
  launch_began = block_began = ++time_now;
  blocks_of_launch.clear();
  kernel_runs = true;
}
void end_launch() { kernel_runs = false; }
void begin_block(uint32_t number) {
  block_began = ++time_now;
  blocks_of_launch.push_back({block_began, number});
  shared_ranges.clear();
  shared_low = ~uintptr_t{0};
  std::fill(std::begin(warp_time), std::end(warp_time), uint16_t{0});
}
void allow_shared(uintptr_t begin, size_t bytes) {
  if (!shared_base) shared_base = begin / 4096 * 4096;
  shared_ranges.push_back({begin, bytes});
  shared_low = std::min(shared_low, begin);
}
bool shared_variable_holds(const void* p, size_t bytes) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  return std::any_of(shared_ranges.begin(), shared_ranges.end(), [&](const Range& r) {
    return address - r.begin < r.bytes && address + bytes <= r.begin + r.bytes;
  });
}
EarlierWrite earlier_write(size_t at) {
  const Cell& word = shared_cells().words[at / 4];
  if (word.write_time < block_began) return {};
  const Cell& c = word.writer & kSplit ? shared_cells().bytes[at] : word;
  return {.written = c.write_time >= block_began,
          .behind_last_barrier = c.write_time == ordering_began,
          .thread = uint16_t(c.writer & kThread)};
}
void note_ordering() { ordering_began = time_now; }
void forget_shared(uintptr_t begin, size_t bytes) {
  if (ordering()) forget_order(begin - shared_base, bytes);
  const Cells& cells = shared_cells();
  for (size_t word = (begin - shared_base) / 4; word <= (begin + bytes - 1 - shared_base) / 4; ++word) {
    Cell& c = cells.words[word];
    if (c.write_time < block_began || !(c.writer & kSplit)) c.write_time = 0;
    else
      for (int i = 0; i < 4; ++i) cells.bytes[4 * word + size_t(i)].write_time = 0;
  }
}
void note_block_barrier() {
  ++time_now;
  if (ordering()) order_block_barrier();
}
void note_warp_barrier(uint32_t mask, unsigned warp) {
  ++warp_time[warp];
  if (ordering()) order_warp_barrier(mask, warp);
}
ChecksPaused::ChecksPaused() : before_(paused) { paused = true; }
ChecksPaused::~ChecksPaused() { paused = before_; }
void set_checks_paused(bool on) { paused = on; }
void set_stack(uintptr_t begin, size_t bytes) { stack = {begin, bytes}; }

void note_written(uintptr_t begin, size_t bytes) { set_written(begin - heap_begin(), bytes, true); }
void forget_written(uintptr_t begin, size_t bytes) { set_written(begin - heap_begin(), bytes, false); }
void copy_written(uintptr_t to, uintptr_t from, size_t bytes) {
  size_t t = to - heap_begin(), f = from - heap_begin();
  uint8_t* const bits = written_bits();
  if (t % 8 == f % 8) {
    while (bytes > 0) {
      const size_t here = t % 8 == 0 && bytes >= 8 ? bytes / 8 * 8 : 1;
      if (here > 1) std::copy_n(bits + f / 8, here / 8, bits + t / 8);
      else set_written(t, 1, bits[f / 8] >> (f % 8) & 1);
      t += here, f += here, bytes -= here;
    }
    return;
  }
  for (size_t i = 0; i < bytes; ++i) set_written(t + i, 1, bits[(f + i) / 8] >> ((f + i) % 8) & 1);
}
void drop_shadow(uintptr_t begin, size_t bytes) {
  const size_t at = begin - heap_begin();
  set_written(at, bytes, false);
  constexpr size_t kPage = 4096;  // of shadow
  const auto drop_pages = [&](auto* cells, size_t first, size_t last) {
    constexpr size_t kOfPage = kPage / sizeof(*cells);
    first = (first + kOfPage - 1) / kOfPage * kOfPage, last = last / kOfPage * kOfPage;
    if (first < last) drop(cells + first, last - first);
  };
  drop_pages(global_cells().words, at / 4, (at + bytes) / 4);
  drop_pages(global_cells().bytes, at, at + bytes);
}

void check_access(uintptr_t address, size_t bytes, Access kind, void* pc) {
  if (bytes == 0 || paused) return;
  const ChecksPaused pause;
  if (kernel_runs) {
    if (accumulators_watched && address - stack.begin < stack.bytes) check_accumulators(address, bytes, pc);
    const std::string wrong = device_access(address, bytes, kind);
    if (!wrong.empty()) fault(wrong, pc);
  } else if (in_heap(address) && !host_may_touch(address)) {
    fault(text("the host ", verb(kind), " memory of the GPU, ", heap_where(address)), pc);
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
#define KERN_HOOK(name, bytes, kind)                                                                 \
  extern "C" void name(void* address) {                                                              \
    kern::emulator::hook<bytes, kern::emulator::Access::kind>(address, __builtin_return_address(0)); \
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
