#include "kernels/common/emulator/bulk.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/common/emulator/block.h"
#include "kernels/common/emulator/heap.h"
#include "kernels/common/emulator/ordering.h"
#include "kernels/common/emulator/scheduler.h"
#include "kernels/common/emulator/tensor_map.h"
#include "kernels/common/error.h"

namespace kern::emulator {
namespace {

constexpr unsigned kMostCount = (1u << 20) - 1;     // of arrivals, and of bytes either way
constexpr uint64_t kContents = 0x6b65726e6d626172;  // what lies in an mbarrier's eight bytes here
constexpr unsigned kMostRank = 5;

struct Barrier {
  uint64_t* address;
  unsigned count, pending;  // arrivals of a phase, and those still missing
  int64_t bytes = 0;        // expected and not yet there
  uint32_t phase = 0;       // how many are complete
  uint32_t landed = 0;      // that in which a copy landed last, counted from 1
  unsigned maker;           // the thread that initialised it
  bool fenced = false, valid = true;
  Knowledge arriving, complete;
  std::vector<unsigned> waiting;
};

// Sixteen bytes (or however many) of a copy: `skip` zeros, then `valid` bytes from global memory, then zeros.
struct Piece {
  std::byte* shared;
  const std::byte* global;
  unsigned bytes, skip, valid;
};
struct Copy {
  std::vector<Piece> pieces;
  unsigned bytes, barrier;
  uint32_t landing;
};

struct Wait {
  unsigned thread, barrier, parity;
};
std::vector<Barrier>& barriers() {
  static auto& all = *new std::vector<Barrier>;
  return all;
}
std::vector<Copy>& on_the_way() {
  static auto& all = *new std::vector<Copy>;
  return all;
}
std::vector<Wait> waits;

enum class When { early, late, sometime };
When when() { return seed() % 3 == 0 ? When::early : seed() % 3 == 1 ? When::late : When::sometime; }

void check_shared_address(const char* what, const void* p, size_t alignment, SourceLocation at) {
  if (!in_shared_memory(p)) fault(text(what, " is not in shared memory"), at);
  if (reinterpret_cast<uintptr_t>(p) % alignment)
    fault(text(what, " lies at an address that is not a multiple of ", alignment), at);
}

unsigned find(uint64_t* address, const char* what, SourceLocation at) {
  check_shared_address("an mbarrier", address, 8, at);
  auto& all = barriers();
  for (unsigned i = 0; i < all.size(); ++i)
    if (all[i].valid && all[i].address == address) {
      check_read(address, 8, at);  // who initialised it comes before
      uint64_t contents;
      peek(address, &contents, 8);
      if (contents != kContents) fault(text(what, ": something was written over this mbarrier"), at);
      return i;
    }
  fault(text(what, ": no mbarrier was initialised there"), at);
  return 0;
}

void complete_if_due(unsigned index) {
  Barrier& b = barriers()[index];
  if (b.pending > 0 || b.bytes != 0) return;
  ++b.phase;
  b.pending = b.count;
  b.complete = b.arriving;  // which holds the phases before
  if (b.landed) learn_of(b.complete, barrier_actor(index), b.landed);
  b.arriving = b.complete;
  for (const unsigned thread : std::exchange(b.waiting, {})) wake(thread);
}
std::string add_bytes(Barrier& b, int64_t bytes) {
  b.bytes += bytes;
  if (b.bytes > int64_t{kMostCount} || b.bytes < -int64_t{kMostCount})
    return text("an mbarrier counts ", b.bytes, " bytes; it can ", kMostCount);
  return {};
}

std::string land(size_t index) {
  auto& all = on_the_way();
  const Copy copy = std::move(all[index]);
  all[index] = std::move(all.back());
  all.pop_back();
  for (const Piece& p : copy.pieces) {
    std::memset(p.shared, 0, p.bytes);
    if (p.valid) heap_copy(p.shared + p.skip, p.global, p.valid);
  }
  Barrier& b = barriers()[copy.barrier];
  if (!b.valid) return "a bulk copy completes at an mbarrier that was invalidated";
  b.landed = b.phase + 1;
  landed(copy.landing, barrier_actor(copy.barrier), b.landed);
  if (std::string wrong = add_bytes(b, -int64_t{copy.bytes}); !wrong.empty()) return wrong;
  complete_if_due(copy.barrier);
  return {};
}

void arrive(unsigned index, SourceLocation at) {
  Barrier& b = barriers()[index];
  if (b.pending == 0)
    fault(text("arrives at an mbarrier whose phase has had all of its ", b.count, " arrivals and waits for ", b.bytes,
               " bytes"),
          at);
  release_to(b.arriving);
  --b.pending;
  complete_if_due(index);
}

void start(Copy copy, const char* what, SourceLocation at) {
  Barrier& b = barriers()[copy.barrier];
  if (!b.fenced)
    fault(text(what, ": its mbarrier was initialised by thread ", b.maker,
               " with neither fence.mbarrier_init nor fence.proxy.async behind"),
          at);
  copy.landing = new_landing();
  for (const Piece& p : copy.pieces) {
    if (p.valid) {  // in steps of which address and length are multiples: a row may begin at any value
      const uintptr_t both = reinterpret_cast<uintptr_t>(p.global) | p.valid;
      const auto step = size_t(both & -both);
      for (unsigned i = 0; i < p.valid; i += unsigned(step)) check_read(p.global + i, step, at);
    }
    if (!shared_variable_holds(p.shared, p.bytes))
      fault(text(what, ": writes ", p.bytes, " bytes of shared memory outside the block's variables"), at);
    const std::string wrong = bulk_write(shared_offset(p.shared), p.bytes, copy.landing);
    if (!wrong.empty()) fault(wrong, at);
    std::memset(p.shared, 0xff, p.bytes);
  }
  on_the_way().push_back(std::move(copy));
  if (when() == When::early)
    if (const std::string wrong = land(on_the_way().size() - 1); !wrong.empty()) fault(wrong, at);
}

}  // namespace

void mbarrier_init(uint64_t* barrier, unsigned arrivals, SourceLocation at) {
  const ChecksPaused pause;
  check_shared_address("an mbarrier", barrier, 8, at);
  if (arrivals < 1 || arrivals > kMostCount)
    fault(text("an mbarrier of ", arrivals, " arrivals; it counts 1 to ", kMostCount), at);
  begin_ordering(block_threads());
  for (const Barrier& b : barriers())
    if (b.valid && b.address == barrier) fault("initialises an mbarrier that is in use: invalidate it first", at);
  if (barriers().size() == kMostBarriers) fault(text("the emulator has ", kMostBarriers, " mbarriers for a block"), at);
  check_write(barrier, 8, at);
  poke(barrier, &kContents, 8);
  Barrier b{};
  b.address = barrier;
  b.count = b.pending = arrivals;
  b.maker = place.id;
  b.valid = true;
  barriers().push_back(std::move(b));
}
void mbarrier_invalidate(uint64_t* barrier, SourceLocation at) {
  const ChecksPaused pause;
  const unsigned i = find(barrier, "mbarrier.inval", at);
  check_write(barrier, 8, at);
  if (!barriers()[i].waiting.empty()) fault("invalidates an mbarrier that threads wait for", at);
  barriers()[i].valid = false;
}
void fence_mbarrier_init(SourceLocation) {
  for (Barrier& b : barriers())
    if (b.maker == place.id) b.fenced = true;
}
void fence_proxy_async(SourceLocation at) {
  const ChecksPaused pause;
  begin_ordering(block_threads());
  fence_proxy();
  fence_mbarrier_init(at);
}
void mbarrier_arrive(uint64_t* barrier, unsigned expected_bytes, SourceLocation at) {
  const ChecksPaused pause;
  const unsigned i = find(barrier, "mbarrier.arrive", at);
  if (const std::string wrong = add_bytes(barriers()[i], expected_bytes); !wrong.empty()) fault(wrong, at);
  arrive(i, at);
}
void mbarrier_expect(uint64_t* barrier, unsigned bytes, SourceLocation at) {
  const ChecksPaused pause;
  const unsigned i = find(barrier, "mbarrier.expect_tx", at);
  if (const std::string wrong = add_bytes(barriers()[i], bytes); !wrong.empty()) fault(wrong, at);
  // Bytes that were there before they were expected: nothing is left to wait for only if all have arrived.
  complete_if_due(i);
}
void mbarrier_wait(uint64_t* barrier, unsigned parity, SourceLocation at) {
  const ChecksPaused pause;
  if (parity > 1) fault(text("waits for a phase of parity ", parity, "; it is 0 or 1"), at);
  for (;;) {
    const unsigned i = find(barrier, "mbarrier.try_wait", at);
    Barrier& b = barriers()[i];
    if (b.phase % 2 != parity) {  // the phase before the present one is of that parity
      acquire_from(b.complete);
      return;
    }
    b.waiting.push_back(place.id);
    waits.push_back({place.id, i, parity});
    wait_for("an mbarrier", at);
    std::erase_if(waits, [](const Wait& w) { return w.thread == place.id; });
  }
}

void bulk_copy(void* shared, const void* global, unsigned bytes, uint64_t* barrier, SourceLocation at) {
  const ChecksPaused pause;
  constexpr const char* kWhat = "cp.async.bulk";
  begin_ordering(block_threads());
  if (bytes == 0 || bytes % 16) fault(text(kWhat, " of ", bytes, " bytes; it takes multiples of 16"), at);
  check_shared_address(kWhat, shared, 16, at);
  if (reinterpret_cast<uintptr_t>(global) % 16)
    fault(text(kWhat, ": from an address that is not a multiple of 16"), at);
  start({.pieces = {{static_cast<std::byte*>(shared), static_cast<const std::byte*>(global), bytes, 0, bytes}},
         .bytes = bytes,
         .barrier = find(barrier, kWhat, at),
         .landing = 0},
        kWhat, at);
}

void bulk_copy_tensor(void* shared, const void* map, const int* coordinates, unsigned rank, uint64_t* barrier,
                      SourceLocation at) {
  const ChecksPaused pause;
  constexpr const char* kWhat = "cp.async.bulk.tensor";
  begin_ordering(block_threads());
  TensorMap m;
  std::memcpy(&m, map, sizeof m);
  if (m.mark != kTensorMapMark) fault(text(kWhat, ": this is no tensor map"), at);
  if (m.rank != rank) fault(text(kWhat, ": ", rank, " coordinates for a tensor map of rank ", m.rank), at);
  check_shared_address(kWhat, shared, 128, at);
  Copy copy{.pieces = {}, .bytes = 0, .barrier = find(barrier, kWhat, at), .landing = 0};
  unsigned extent[kMostRank] = {1, 1, 1, 1, 1};
  size_t rows = 1;
  for (unsigned i = 0; i < rank; ++i) extent[i] = (m.box[i] + m.element_strides[i] - 1u) / m.element_strides[i];
  for (unsigned i = 1; i < rank; ++i) rows *= extent[i];
  const size_t row_bytes = size_t{extent[0]} * m.element_bytes, begin = shared_offset(shared);
  copy.bytes = unsigned(rows * row_bytes);  // zeros count as well
  const int64_t inner = int64_t{m.dims[0]} + 1;
  for (size_t row = 0; row < rows; ++row) {
    size_t rest = row;
    bool inside = true;
    uint64_t from = m.address;
    for (unsigned i = 1; i < rank; ++i) {
      const int64_t c = int64_t{coordinates[i]} + int64_t(rest % extent[i]) * m.element_strides[i];
      rest /= extent[i];
      inside = inside && c >= 0 && c <= int64_t{m.dims[i]};
      from += uint64_t(c) * m.strides[i - 1];
    }
    for (size_t b = 0; b < row_bytes; b += 16) {
      const int64_t per = 16 / m.element_bytes, first = coordinates[0] + int64_t(b) / m.element_bytes;
      const int64_t low = inside ? std::clamp<int64_t>(-first, 0, per) : 0,
                    high = inside ? std::clamp<int64_t>(inner - first, low, per) : 0;
      const uint64_t address = from + uint64_t(first + low) * m.element_bytes;
      copy.pieces.push_back(
          {.shared = static_cast<std::byte*>(shared) - begin + swizzled(m.swizzle, begin + row * row_bytes + b),
           .global = reinterpret_cast<const std::byte*>(address),
           .bytes = 16,
           .skip = unsigned(low) * m.element_bytes,
           .valid = unsigned(high - low) * m.element_bytes});
    }
  }
  start(std::move(copy), kWhat, at);
}

void begin_bulk() {
  barriers().clear();
  on_the_way().clear();
  waits.clear();
}
bool bulk_is_late(std::string& wrong) {
  const size_t n = on_the_way().size();
  if (n > 0) wrong = land(random_below(n));
  return n > 0;
}
void bulk_at_any_time(std::string& wrong) {
  if (!on_the_way().empty() && when() == When::sometime && random_below(8) == 0) bulk_is_late(wrong);
}
std::string end_bulk() {
  if (!on_the_way().empty()) return "the block ends while a bulk copy is on its way: somebody must wait for it";
  for (unsigned i = 0; i < barriers().size(); ++i)
    if (barriers()[i].landed && !anybody_knows(barrier_actor(i), barriers()[i].landed))
      return "the block ends and nobody has waited for a bulk copy";
  return {};
}
std::string mbarrier_waited_for(unsigned thread) {
  for (const Wait& w : waits)
    if (w.thread == thread) {
      const Barrier& b = barriers()[w.barrier];
      return text("a phase of parity ", w.parity, " of an mbarrier, ", b.phase, " of whose phases are complete; of ",
                  b.count, " arrivals ", b.pending, " are missing, and ", b.bytes, " bytes");
    }
  return {};
}

}  // namespace kern::emulator
