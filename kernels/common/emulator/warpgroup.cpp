#include "kernels/common/emulator/warpgroup.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/common/emulator/block.h"
#include "kernels/common/emulator/ordering.h"
#include "kernels/common/emulator/scheduler.h"
#include "kernels/common/emulator/tensor_map.h"
#include "kernels/common/error.h"

namespace kern::emulator {

bool accumulators_watched = false;

namespace {

constexpr unsigned kRows = 64, kMostColumns = 256;
constexpr unsigned kRowBytes = 32;  // of an operand along k: 16 values of bf16, 8 of tf32

// Registers of one thread that hold a part of sums, by their address.
struct Registers {
  uintptr_t begin;
  size_t bytes;
  bool in_flight = false;  // wgmma works on them
  bool touched = false;    // the thread looked at them since the last fence
};
struct Thread {
  bool fenced = false;     // at all
  uint64_t committed = 0;  // groups
  std::vector<Registers> registers;
};

struct Product {
  Wgmma what;
  uint64_t group;
  size_t sums;
  bool done = false;
};
// Sums that products under way add to: of each thread n / 2.
struct Sums {
  float* registers[kWarpgroup];
  unsigned n;
  uint64_t last_group;
  unsigned fetched = 0;  // by so many threads
  std::vector<float> values;
};
struct Meeting {
  unsigned arrived = 0;
  SourceLocation at{};
  Wgmma what{};
  unsigned registers = 0;  // of setmaxnreg
  bool is_wgmma = false;
  float* d[kWarpgroup];
};
struct Group {
  std::vector<Product> products;
  std::vector<Sums> sums;
  Meeting meeting;
  unsigned registers = 0;  // of each thread, where setmaxnreg has said
};
struct Groups {
  std::vector<Thread> threads;
  Group groups[kMostWarpgroups];
};
Groups& all() {
  static Groups& the = *new Groups;
  return the;
}
bool late() { return seed() % 3 != 0; }

Thread& mine() {
  auto& threads = all().threads;
  if (threads.empty()) threads.resize(block_threads());
  return threads[place.id];
}
Group& my_group() { return all().groups[place.id / kWarpgroup]; }

// --- where operands lie ---

struct Operand {
  size_t start, leading, stride;  // bytes
  uint32_t swizzle;               // as a tensor map has it
  bool across;
};
Operand operand_of(uint64_t descriptor, bool across) {
  const auto bits = [&](int from, int count) { return size_t(descriptor >> from & ((uint64_t{1} << count) - 1)); };
  const size_t mode = bits(62, 2);  // 1: 128 bytes, 2: 64, 3: 32
  return {.start = bits(0, 14) * 16,
          .leading = bits(16, 14) * 16,
          .stride = bits(32, 14) * 16,
          .swizzle = uint32_t(mode ? 4 - mode : 0),
          .across = across};
}
// What is wrong with a descriptor; empty when nothing is. The pattern of a swizzle begins anew every 1024 (512, 256)
// bytes of shared memory; the emulator takes operands whose groups of eight rows begin where it does, for which the
// descriptor's base offset is 0.
std::string wrong_with(const char* which, uint64_t descriptor, const Operand& o) {
  if (descriptor >> 49 & 7) return text("wgmma: the descriptor of ", which, " has a base offset; it must be 0 here");
  if (descriptor & 0x3ff1c000c000c000)
    return text("wgmma: the descriptor of ", which, " has bits set that mean nothing");
  if (!o.swizzle) return {};
  const size_t width = size_t{16} << o.swizzle, pattern = 8 * width;
  if (o.start % pattern / width > 0)
    return text("wgmma: the descriptor of ", which, " begins ", o.start % pattern,
                " bytes into its swizzle's pattern of ", pattern, " bytes; only a step along k, within a row of ",
                width, " bytes, may");
  if (o.across && o.start % pattern)
    return text("wgmma: the descriptor of ", which, " does not begin with its swizzle's pattern");
  if (o.stride % pattern || (o.across && o.leading % pattern))
    return text("wgmma: the descriptor of ", which, " steps by ", o.stride, " and ", o.leading,
                " bytes, not by multiples of its swizzle's pattern of ", pattern);
  return {};
}
// The sixteen bytes `chunk` of an operand, as an offset into shared memory. Not across: of row i the first or second 16
// bytes along k. Across: of k the i-th, values 8 chunk .. 8 chunk + 7 of m (or n).
size_t chunk_at(const Operand& o, unsigned i, unsigned chunk) {
  const size_t width = size_t{16} << o.swizzle, in_group = i % 8, group = i / 8;
  if (!o.across)
    return swizzled(o.swizzle, o.start + in_group * width + group * o.stride + chunk * (o.swizzle ? 16 : o.leading));
  if (!o.swizzle) return o.start + in_group * 16 + group * o.leading + chunk * o.stride;
  const unsigned per = 1u << o.swizzle;  // chunks in a row of the pattern
  return swizzled(o.swizzle,
                  o.start + in_group * width + group * o.stride + chunk % per * 16 + chunk / per * o.leading);
}
template <class F>
void each_chunk(const Operand& o, unsigned rows, F&& f) {
  const unsigned count = o.across ? kRowBytes / 2 : rows, chunks = o.across ? rows / 8 : kRowBytes / 16;
  for (unsigned i = 0; i < count; ++i)
    for (unsigned c = 0; c < chunks; ++c) f(chunk_at(o, i, c), i, c);
}
// The operand's values, [k][rows].
void fetch(const Operand& o, WgmmaType type, unsigned rows, float* to) {
  each_chunk(o, rows, [&](size_t at, unsigned i, unsigned chunk) {
    const std::byte* from = shared_at(at);
    if (type == WgmmaType::tf32) {
      for (unsigned v = 0; v < 4; ++v) {
        uint32_t bits;
        std::memcpy(&bits, from + 4 * v, 4);
        to[(4 * chunk + v) * rows + i] = std::bit_cast<float>(bits & 0xffffe000u);  // the rest is ignored
      }
      return;
    }
    for (unsigned v = 0; v < 8; ++v) {
      uint16_t bits;
      std::memcpy(&bits, from + 2 * v, 2);
      const float value = std::bit_cast<float>(uint32_t{bits} << 16);
      if (o.across) to[i * rows + 8 * chunk + v] = value;
      else to[(8 * chunk + v) * rows + i] = value;
    }
  });
}

// --- products ---

// Which thread of the group holds an element of D, and in which of its registers.
constexpr unsigned thread_of(unsigned row, unsigned column) { return row / 16 * 32 + row % 8 * 4 + column % 8 / 2; }
constexpr unsigned register_of(unsigned row, unsigned column) { return column / 8 * 4 + row % 16 / 8 * 2 + column % 2; }

void multiply(Product& p, std::vector<Sums>& all_sums) {
  constexpr unsigned kAtOnce = 8;
  static float a[16 * kRows], b[16 * kMostColumns];
  Sums& sums = *std::find_if(all_sums.begin(), all_sums.end(),
                             [&](const Sums& s) { return s.registers[0] == reinterpret_cast<float*>(p.sums); });
  const unsigned n = p.what.n, depth = p.what.type == WgmmaType::bf16 ? 16 : 8;
  fetch(operand_of(p.what.a, p.what.a_across), p.what.type, kRows, a);
  fetch(operand_of(p.what.b, p.what.b_across), p.what.type, n, b);
  for (unsigned row = 0; row < kRows; ++row) {
    const auto value_at = [&](unsigned column) -> float& {
      return sums.values[thread_of(row, column) * (n / 2) + register_of(row, column)];
    };
    for (unsigned first = 0; first < n; first += kAtOnce) {
      float some[kAtOnce];
      for (unsigned j = 0; j < kAtOnce; ++j) some[j] = p.what.add ? value_at(first + j) : 0;
      for (unsigned k = 0; k < depth; ++k) {
        const float factor = a[k * kRows + row];
        const float* const of_b = b + k * n + first;
        for (unsigned j = 0; j < kAtOnce; ++j) some[j] += factor * of_b[j];
      }
      for (unsigned j = 0; j < kAtOnce; ++j) value_at(first + j) = some[j];
    }
  }
  p.done = true;
}

Registers& registers_at(Thread& t, const float* d, unsigned n) {
  const auto begin = reinterpret_cast<uintptr_t>(d);
  for (Registers& r : t.registers)
    if (r.begin == begin && r.bytes == n / 2 * sizeof(float)) return r;
  // Others that lay there are gone.
  std::erase_if(t.registers, [&](const Registers& r) {
    return !r.in_flight && r.begin < begin + n / 2 * sizeof(float) && begin < r.begin + r.bytes;
  });
  t.registers.push_back({begin, n / 2 * sizeof(float)});
  accumulators_watched = true;
  return t.registers.back();
}

// All 128 threads have come: the product begins.
void begin_product(Group& group, const Meeting& m, SourceLocation at) {
  const unsigned first = place.id / kWarpgroup * kWarpgroup, n = m.what.n;
  const uint64_t number = all().threads[place.id].committed + 1;
  for (unsigned i = 0; i < kWarpgroup; ++i)
    if (all().threads[first + i].committed + 1 != number)
      fault("wgmma: the warps of the group have committed different numbers of groups", at);
  const Knowledge least = least_of(first, kWarpgroup);
  const unsigned actor = warpgroup_actor(place.id / kWarpgroup);
  for (const bool is_a : {true, false}) {
    const Operand o = operand_of(is_a ? m.what.a : m.what.b, is_a ? m.what.a_across : m.what.b_across);
    const char* const which = is_a ? "A" : "B";
    if (std::string wrong = wrong_with(which, is_a ? m.what.a : m.what.b, o); !wrong.empty()) fault(wrong, at);
    each_chunk(o, is_a ? kRows : n, [&](size_t from, unsigned, unsigned) {
      if (!shared_variable_holds(shared_at(from), 16))
        fault(text("wgmma: the descriptor of ", which, " leads outside the block's variables of shared memory"), at);
      if (std::string wrong = wgmma_read(from, 16, least, actor, uint32_t(number)); !wrong.empty())
        fault(text(wrong, " (operand ", which, ")"), at);
    });
  }
  Sums* sums = nullptr;
  for (Sums& s : group.sums)
    if (s.registers[0] == m.d[0]) sums = &s;
  if (sums && sums->fetched > 0)
    fault("wgmma: some threads of the group have waited for these sums and others have not", at);
  if (sums && sums->n != n) fault("wgmma: a product of another shape still works on these sums", at);
  if (!sums) {
    group.sums.push_back({});
    sums = &group.sums.back();
    sums->n = n;
    sums->values.resize(kWarpgroup * (n / 2));
    for (unsigned i = 0; i < kWarpgroup; ++i) {
      sums->registers[i] = m.d[i];
      for (unsigned v = 0; v < n / 2; ++v) {
        peek(m.d[i] + v, &sums->values[i * (n / 2) + v], sizeof(float));
        const float nothing = std::numeric_limits<float>::quiet_NaN();
        poke(m.d[i] + v, &nothing, sizeof nothing);
      }
    }
  }
  for (unsigned i = 0; i < kWarpgroup; ++i) {
    if (sums->registers[i] != m.d[i]) fault("wgmma: threads of the group mix up their sums", at);
    registers_at(all().threads[first + i], m.d[i], n).in_flight = true;
  }
  sums->last_group = number;
  group.products.push_back({m.what, number, reinterpret_cast<size_t>(m.d[0])});
  if (!late()) multiply(group.products.back(), group.sums);
}

// All threads of a group come with the same; `all_here` is done by the last.
template <class Same, class AllHere>
void meet(const char* what, SourceLocation at, Same&& same, AllHere&& all_here) {
  const unsigned first = place.id / kWarpgroup * kWarpgroup;
  if (first + kWarpgroup > block_threads())
    fault(text(what, ": thread ", place.id, " is in no whole group of four warps"), at);
  for (unsigned i = 0; i < kWarpgroup; ++i)
    if (has_ended(first + i)) fault(text(what, ": thread ", first + i, " of its group has ended and cannot come"), at);
  Meeting& m = my_group().meeting;
  if (m.arrived == 0) m.at = at;
  else if (m.at.line != at.line || std::strcmp(m.at.file, at.file))
    fault(text(what, ": other threads of the group wait at line ", m.at.line), at);
  same(m, m.arrived == 0);
  if (++m.arrived < kWarpgroup) return wait_for(what, at);
  m.arrived = 0;
  const Meeting done = m;
  for (unsigned i = 0; i < kWarpgroup; ++i)
    if (first + i != place.id) wake(first + i);
  all_here(done);
}

}  // namespace

void wgmma_fence(SourceLocation) {
  const ChecksPaused pause;
  Thread& me = mine();
  me.fenced = true;
  for (Registers& r : me.registers) r.touched = false;
}
void wgmma(float* d, const Wgmma& what, SourceLocation at) {
  const ChecksPaused pause;
  begin_ordering(block_threads());
  if (what.n % 8 || what.n < 8 || what.n > kMostColumns)
    fault(text("wgmma: n is ", what.n, "; multiples of 8 up to 256"), at);
  if (what.type == WgmmaType::tf32 && (what.a_across || what.b_across))
    fault("wgmma: operands of tf32 lie along k", at);
  Thread& me = mine();
  Registers& r = registers_at(me, d, what.n);
  if (!me.fenced || (!r.in_flight && r.touched))
    fault("wgmma: the thread has used these registers with no wgmma.fence behind", at);
  meet(
      "wgmma", at,
      [&](Meeting& m, bool first) {
        if (first) m.what = what, m.is_wgmma = true;
        else if (!m.is_wgmma || !(m.what == what))
          fault("wgmma: the threads of a group come with different descriptors or shapes", at);
        m.d[place.id % kWarpgroup] = d;
      },
      [&](const Meeting& m) { begin_product(my_group(), m, at); });
}
void wgmma_commit(SourceLocation) {
  const ChecksPaused pause;
  ++mine().committed;
}
void wgmma_wait(unsigned groups_left, SourceLocation) {
  const ChecksPaused pause;
  Thread& me = mine();
  if (me.committed <= groups_left) return;
  const uint64_t complete = me.committed - groups_left;
  Group& group = my_group();
  for (Product& p : group.products)
    if (!p.done && p.group <= complete) multiply(p, group.sums);
  std::erase_if(group.products, [](const Product& p) { return p.done; });
  if (ordering()) learn(warpgroup_actor(place.id / kWarpgroup), uint32_t(complete));
  for (Sums& s : group.sums) {
    float* const to = s.registers[place.id % kWarpgroup];
    if (s.last_group > complete || !to) continue;
    Registers& r = registers_at(me, to, s.n);
    if (!r.in_flight) continue;
    poke(to, &s.values[place.id % kWarpgroup * (s.n / 2)], s.n / 2 * sizeof(float));
    r.in_flight = false;
    ++s.fetched;
  }
  std::erase_if(group.sums, [](const Sums& s) { return s.fetched == kWarpgroup; });
}
void set_registers(unsigned count, bool more, SourceLocation at) {
  const ChecksPaused pause;
  const char* const what = more ? "setmaxnreg.inc" : "setmaxnreg.dec";
  if (count % 8 || count < 24 || count > 256) fault(text(what, " ", count, ": it takes multiples of 8, 24 to 256"), at);
  mine();
  meet(
      what, at,
      [&](Meeting& m, bool first) {
        if (first) m.registers = count, m.is_wgmma = false;
        else if (m.is_wgmma || m.registers != count)
          fault(text(what, ": threads of a group come with different counts"), at);
      },
      [&](const Meeting& m) {
        my_group().registers = m.registers;
        unsigned total = 0;
        for (const Group& g : all().groups) total += g.registers * kWarpgroup;
        if (total > 65536)
          fault(text(what, ": the block's groups have ", total, " registers now; there are 65536"), at);
      });
}

void begin_warpgroups() {
  Groups& g = all();
  if (g.threads.empty()) return;
  g.threads.clear();
  for (Group& group : g.groups) group = {};
  accumulators_watched = false;
}
void end_warpgroup_thread() {
  auto& threads = all().threads;
  if (!threads.empty()) threads[place.id].registers.clear();
}
std::string end_warpgroups() {
  for (const Group& g : all().groups)
    if (!g.products.empty() || !g.sums.empty())
      return "the block ends while wgmma works: every group must be waited for";
  return {};
}
void check_accumulators(uintptr_t address, size_t bytes, void* pc) {
  const ChecksPaused pause;
  auto& threads = all().threads;
  if (threads.empty()) return;
  for (Registers& r : threads[place.id].registers) {
    if (address >= r.begin + r.bytes || address + bytes <= r.begin) continue;
    if (r.in_flight) fault("touches sums that wgmma works on: wgmma.wait_group comes first", pc);
    r.touched = true;
  }
}

}  // namespace kern::emulator
