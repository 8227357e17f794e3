#include "engine/block_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "engine/host_heap.h"
#include "engine/memory.h"
#include "kernels/common/philox.h"
#include "kernels/common/sanitizer.h"

namespace kern {
namespace {

size_t place_of(BlockHeap& heap, size_t size) {
  if (const auto gap = heap.take(size)) return *gap;
  return heap.grow(size);
}

TEST(BlockHeap, the_smallest_gap_that_holds_a_block_is_cut) {
  BlockHeap heap;
  const size_t a = place_of(heap, 300), b = place_of(heap, 10), c = place_of(heap, 100), d = place_of(heap, 10);
  EXPECT_EQ(a, 0u);
  EXPECT_EQ(d, 410u);
  EXPECT_EQ(heap.end(), 420u);
  heap.give_back(a, 300), heap.give_back(c, 100);
  EXPECT_EQ(heap.take(100), c);
  EXPECT_EQ(heap.take(60), a);
  EXPECT_EQ(heap.take(60), a + 60);
  EXPECT_FALSE(heap.take(200)) << "no gap is that large, though 180 bytes are free";
  EXPECT_EQ(heap.in_use(), 240u);
  heap.give_back(b, 10);
  EXPECT_EQ(heap.take(190), a + 120) << "a gap and the block behind it that came back are one";
}

TEST(BlockHeap, gaps_join_on_both_sides_and_the_end_takes_the_last) {
  BlockHeap heap;
  std::vector<size_t> places;
  for (int i = 0; i < 5; ++i) places.push_back(place_of(heap, 64));
  for (const size_t i : {1, 3, 2}) heap.give_back(places[i], 64);
  ASSERT_EQ(heap.gaps().size(), 1u);
  EXPECT_EQ(*heap.gaps().begin(), (std::pair<const size_t, size_t>(64, 192)));
  heap.give_back(places[4], 64);
  EXPECT_EQ(heap.growth(300), 300u - 256u);
  EXPECT_EQ(heap.grow(300), 64u);
  EXPECT_EQ(heap.end(), 364u);
  EXPECT_TRUE(heap.gaps().empty());
  heap.give_back(64, 300);
  heap.shrink();
  EXPECT_EQ(heap.end(), 64u);
  EXPECT_EQ(heap.in_use(), 64u);
  heap.shrink();  // nothing to give
  EXPECT_EQ(heap.end(), 64u);
}

// Blocks never overlap and are all there; what is not in use is in gaps, none beside another.
TEST(BlockHeap, any_order_of_taking_and_giving_back) {
  BlockHeap heap;
  std::map<size_t, size_t> blocks;
  for (uint32_t i = 0; i < 4000; ++i) {
    const kernels::Random4 r = kernels::philox({1, 2}, i, 0, 0, 0);
    if (blocks.empty() || r.v[0] % 100 < 52) {
      const size_t size = 64 * (1 + r.v[1] % 50), place = place_of(heap, size);
      const auto next = blocks.lower_bound(place);
      if (next != blocks.end()) {
        ASSERT_LE(place + size, next->first);
      }
      if (next != blocks.begin()) {
        ASSERT_LE(std::prev(next)->first + std::prev(next)->second, place);
      }
      blocks[place] = size;
      ASSERT_LE(place + size, heap.end());
    } else {
      const auto given = std::next(blocks.begin(), r.v[1] % blocks.size());
      heap.give_back(given->first, given->second);
      blocks.erase(given);
    }
    size_t used = 0, free = 0, before = ~size_t{0};
    for (const auto& [place, size] : blocks) used += size;
    for (const auto& [place, size] : heap.gaps()) {
      ASSERT_NE(place, before);
      free += size, before = place + size;
    }
    ASSERT_EQ(heap.in_use(), used);
    ASSERT_EQ(heap.end(), used + free);
  }
}

TEST(HostHeap, is_memory_that_is_kept_and_can_be_released) {
  HostHeap heap;
  constexpr size_t kSize = size_t{1} << 20;
  std::byte *const a = heap.take(kSize), *const b = heap.take(2 * kSize), *const c = heap.take(kSize);
  for (std::byte* const p : {a, b, c}) {
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 64, 0u);
    std::fill_n(p, kSize, std::byte{7});
  }
  EXPECT_EQ(heap.growths(), 3u);
  heap.give_back(b, 2 * kSize);
  EXPECT_EQ(heap.kept(), 2 * kSize);
  EXPECT_EQ(heap.take(kSize / 2), b);
  EXPECT_EQ(heap.growths(), 3u);
  heap.release();
  EXPECT_EQ(a[5], std::byte{7}) << "blocks in use keep what they hold";
  EXPECT_EQ(c[kSize - 1], std::byte{7});
  EXPECT_EQ(b[kSize], std::byte{0}) << "the pages of a gap went back to the system";
  heap.give_back(a, kSize), heap.give_back(b, kSize / 2), heap.give_back(c, kSize);
  heap.release();
  EXPECT_EQ(heap.kept(), 0u);
  EXPECT_EQ(heap.take(size_t{1} << 60), nullptr);
}

// Tensors of hundreds of sizes, as a step has them: one size's blocks serve another's.
TEST(Memory, blocks_of_one_size_become_blocks_of_others) {
  if (kAddressSanitizer) GTEST_SKIP() << "nothing is reused under AddressSanitizer";
  release_unused_memory();
  const size_t before = memory_counters().reserved;
  for (int64_t i = 0; i < 400; ++i) Storage(Device::cpu, (size_t{1} << 20) + size_t(i) * 40000);
  EXPECT_LE(memory_counters().reserved, before + (size_t{17} << 20));
  { const Storage large(Device::cpu, size_t{16} << 20); }
  const uint64_t asked = memory_counters().allocations;
  for (int i = 0; i < 20; ++i) {
    const Storage a(Device::cpu, 5'000'000), b(Device::cpu, size_t(1'000'000 + i * 4096)), c(Device::cpu, 6'000'000);
  }
  EXPECT_EQ(memory_counters().allocations, asked);
  release_unused_memory();
}

}  // namespace
}  // namespace kern
