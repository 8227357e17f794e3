#include "kernels/common/emulator/heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>

#include "kernels/common/emulator/checks.h"
#include "kernels/common/emulator/dry_run.h"
#include "kernels/common/error.h"

// The host must not touch the GPU's memory. Under AddressSanitizer it is poisoned: whatever is compiled with that
// (all but the kernels and this emulator) is stopped at the line that does.
extern "C" __attribute__((weak)) void __asan_poison_memory_region(const volatile void* p, size_t bytes);
extern "C" __attribute__((weak)) void __asan_unpoison_memory_region(const volatile void* p, size_t bytes);

namespace kern::emulator {
namespace {

constexpr size_t kGranule = 512;  // allocations begin at multiples of it, with a gap of at least one between them
constexpr size_t kPage = 4096;

struct Allocation {
  size_t bytes;
  MemoryKind kind;
  bool freed;
};
struct Heap {
  std::mutex mutex;
  std::map<uintptr_t, Allocation> allocations;
  uintptr_t next = 0;
  size_t live = 0;
};
Heap& heap() {
  static Heap& h = *new Heap;
  return h;
}
uintptr_t reserve() {
  void* p = mmap(nullptr, kHeapBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return reinterpret_cast<uintptr_t>(p);
}
// How many bytes of each granule belong to a live allocation.
uint16_t* valid_bytes() {
  static uint16_t* bytes = [] {
    void* p = mmap(nullptr, kHeapBytes / kGranule * 2, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    return static_cast<uint16_t*>(p);
  }();
  return bytes;
}
void set_valid(uintptr_t begin, size_t bytes, bool valid) {
  uint16_t* granule = valid_bytes() + (begin - heap_begin()) / kGranule;
  for (size_t left = bytes; left > 0; left -= std::min(left, kGranule))
    *granule++ = valid ? uint16_t(std::min(left, kGranule)) : uint16_t{0};
}
const Allocation* holder(uintptr_t address, uintptr_t* begin) {
  auto it = heap().allocations.upper_bound(address);
  if (it == heap().allocations.begin()) return nullptr;
  --it;
  *begin = it->first;
  return &it->second;
}

}  // namespace

uintptr_t heap_begin() {
  static const uintptr_t begin = reserve();
  return begin;
}

size_t heap_capacity() {
  static const size_t mebibytes = [] {
    const char* text = std::getenv("KERN_EMULATOR_MEMORY");
    return text ? std::strtoull(text, nullptr, 10) : 4096;
  }();
  return DryRun::current() ? kDryCapacity : mebibytes << 20;
}
size_t heap_live() { return heap().live; }

void* heap_take(size_t bytes, MemoryKind kind) {
  Heap& h = heap();
  std::lock_guard lock(h.mutex);
  if (kind != MemoryKind::pinned && h.live + bytes > heap_capacity()) return nullptr;
  if (!h.next) h.next = heap_begin() + kGranule;
  const uintptr_t begin = h.next;
  h.next = (begin + bytes + 2 * kGranule - 1) / kGranule * kGranule;
  if (h.next - heap_begin() >= kHeapBytes) return nullptr;
  h.allocations[begin] = {bytes, kind, false};
  set_valid(begin, bytes, true);
  if (kind != MemoryKind::pinned) h.live += bytes;
  if (kind == MemoryKind::pinned) note_written(begin, bytes);  // the host writes there without a word
  else if (__asan_poison_memory_region) __asan_poison_memory_region(reinterpret_cast<void*>(begin), bytes);
  if (!DryRun::current())
    heap_set(reinterpret_cast<void*>(begin), 0xff, bytes);  // NaN: a value that nobody wrote shows
  return reinterpret_cast<void*>(begin);
}

bool heap_give_back(void* p) {
  if (!p) return true;
  Heap& h = heap();
  std::lock_guard lock(h.mutex);
  const auto it = h.allocations.find(reinterpret_cast<uintptr_t>(p));
  if (it == h.allocations.end() || it->second.freed) return false;
  it->second.freed = true;
  set_valid(it->first, it->second.bytes, false);
  drop_shadow(it->first, it->second.bytes);
  if (it->second.kind != MemoryKind::pinned) h.live -= it->second.bytes;
  const uintptr_t first = (it->first + kPage - 1) / kPage * kPage,
                  last = (it->first + it->second.bytes) / kPage * kPage;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  if (__asan_poison_memory_region) __asan_poison_memory_region(p, it->second.bytes);
  return true;
}

const uint16_t* heap_valid_bytes() { return valid_bytes(); }

bool heap_holds(uintptr_t address, size_t bytes) {
  const size_t at = address - heap_begin(), granule = at / kGranule, offset = at % kGranule;
  const uint16_t* valid = valid_bytes() + granule;
  if (offset + bytes <= kGranule) return offset + bytes <= *valid;
  if (*valid != kGranule) return false;
  for (size_t left = offset + bytes - kGranule; left > 0; left -= std::min(left, kGranule))
    if (*++valid < std::min(left, kGranule)) return false;
  return true;
}

bool host_may_touch(uintptr_t address) {
  std::lock_guard lock(heap().mutex);
  uintptr_t begin = 0;
  const Allocation* a = holder(address, &begin);
  return a && a->kind != MemoryKind::device;
}

std::string heap_where(uintptr_t address) {
  std::lock_guard lock(heap().mutex);
  uintptr_t begin = 0;
  const Allocation* a = holder(address, &begin);
  const auto after = heap().allocations.upper_bound(address);
  if (a && a->freed && address < begin + a->bytes)
    return text(address - begin, " bytes into an allocation of ", a->bytes, " bytes that was freed");
  if (a && address < begin + a->bytes)
    return text(address - begin, " bytes into an allocation of ", a->bytes, " bytes");
  if (after != heap().allocations.end() && after->first - address <= kGranule / 2)
    return text(after->first - address, " bytes before an allocation of ", after->second.bytes, " bytes");
  if (a) return text(address - begin - a->bytes, " bytes behind the end of an allocation of ", a->bytes, " bytes");
  return "outside every allocation";
}

// Loops of their own: memcpy and memset would be seen by AddressSanitizer.
void heap_copy(void* to, const void* from, size_t bytes) {
  auto* t = static_cast<volatile unsigned char*>(to);
  auto* f = static_cast<const volatile unsigned char*>(from);
  size_t i = 0;
  if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % 8 == 0)
    for (; i + 8 <= bytes; i += 8)
      *reinterpret_cast<volatile uint64_t*>(static_cast<char*>(to) + i) =
          *reinterpret_cast<const volatile uint64_t*>(static_cast<const char*>(from) + i);
  for (; i < bytes; ++i) t[i] = f[i];
}
void heap_set(void* to, unsigned char value, size_t bytes) {
  auto* t = static_cast<volatile unsigned char*>(to);
  const uint64_t eight = 0x0101010101010101u * value;
  size_t i = 0;
  for (; i + 8 <= bytes && reinterpret_cast<uintptr_t>(to) % 8 == 0; i += 8)
    *reinterpret_cast<volatile uint64_t*>(static_cast<char*>(to) + i) = eight;
  for (; i < bytes; ++i) t[i] = value;
}

}  // namespace kern::emulator
