#include "engine/host_heap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "kernels/common/error.h"

namespace kern {
namespace {
size_t page_size() {
  static const size_t size = size_t(sysconf(_SC_PAGESIZE));
  return size;
}
size_t to_pages(size_t bytes) { return (bytes + page_size() - 1) / page_size() * page_size(); }

// Pages are promised (and refused) as any allocation's, but for a range that only reserves addresses.
std::byte* map(size_t bytes, int flags) {
  void* const p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<std::byte*>(p);
}
}  // namespace

std::byte* HostHeap::take(size_t size) {
  for (Range& r : ranges_)
    if (const auto place = r.blocks.take(size)) return r.memory + *place;
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (Range& r : ranges_)
      if (r.blocks.growth(size) <= r.bytes - r.blocks.end()) {
        ++growths_;
        return r.memory + r.blocks.grow(size);
      }
    if (!add_range(size)) return nullptr;
  }
  return nullptr;
}

// The first: as many addresses as the machine has memory. Others: an eighth of what is held already, or what is asked.
bool HostHeap::add_range(size_t size) {
  if (ranges_.empty()) {
    const size_t all = size_t(sysconf(_SC_PHYS_PAGES)) * page_size();
    if (std::byte* const p = size <= all ? map(all, MAP_NORESERVE) : nullptr) {
      ranges_.push_back({p, all, {}});
      return true;
    }
  }
  size_t held = 0;
  for (const Range& r : ranges_) held += r.blocks.end();
  for (const size_t bytes : {to_pages(std::max({size, held / 8, size_t{16} << 20})), to_pages(size)})
    if (std::byte* const p = map(bytes, 0)) {
      ranges_.push_back({p, bytes, {}});
      return true;
    }
  return false;
}

void HostHeap::give_back(std::byte* block, size_t size) {
  for (Range& r : ranges_)
    if (r.memory <= block && block < r.memory + r.bytes) return r.blocks.give_back(size_t(block - r.memory), size);
  internal_check(false, "a block was given back to a heap that it is not from");
}

void HostHeap::release() {
  for (const Range& r : ranges_)
    for (const auto& [place, size] : r.blocks.gaps()) {
      const size_t begin = to_pages(place), end = (place + size) / page_size() * page_size();
      if (begin < end) madvise(r.memory + begin, end - begin, MADV_DONTNEED);
    }
  for (Range& r : ranges_) r.blocks.shrink();
  std::erase_if(ranges_, [](const Range& r) { return r.blocks.end() == 0 && munmap(r.memory, r.bytes) == 0; });
}

size_t HostHeap::kept() const {
  size_t bytes = 0;
  for (const Range& r : ranges_) bytes += r.blocks.end() - r.blocks.in_use();
  return bytes;
}

}  // namespace kern
