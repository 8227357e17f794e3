#include "kernels/common/emulator/ordering.h"

#include <algorithm>

#include "kernels/common/emulator/block.h"
#include "kernels/common/error.h"

namespace kern::emulator {
namespace {

struct Touch {
  uint32_t step;
  uint16_t actor;
};
enum class Writer : uint8_t { nobody, thread, atomic, bulk };
// Who wrote two bytes last, and who has read them since.
struct Cell {
  uint32_t block = 0;  // counted; of another one: nobody has touched it
  uint32_t step = 0;   // of the writer; of a bulk copy: its landing
  uint16_t actor = 0;
  Writer writer = Writer::nobody;
  std::vector<Touch> readers;
};
constexpr size_t kCellBytes = 2;
// Steps of what was done before the block began to keep order so: up to its last barrier, of which all know, and since.
constexpr uint32_t kBeforeBarrier = 1, kBehindBarrier = 2;

struct Landing {
  bool done;
  Touch by;
};

struct Order {
  bool on = false;
  uint32_t block = 0;
  unsigned threads = 0;
  std::vector<Knowledge> of_thread;
  std::vector<Landing> landings;
  std::vector<Cell> cells;
};
Order& order() {
  static Order& the = *new Order;
  return the;
}

void join(std::vector<uint32_t>& into, const std::vector<uint32_t>& from) {
  const size_t n = into.size();
  uint32_t* const to = into.data();
  const uint32_t* const f = from.data();
  for (size_t i = 0; i < n; ++i) to[i] = to[i] < f[i] ? f[i] : to[i];
}
void join(Knowledge& into, const Knowledge& from) {
  if (from.seen.empty()) return;
  if (into.seen.empty()) into = from;
  else join(into.seen, from.seen), join(into.fenced, from.fenced);
}
// All of these know from now on what each of them knew.
template <class InGroup>
void meet(unsigned first, unsigned count, InGroup in_group) {
  Order& o = order();
  Knowledge all;
  for (unsigned i = first; i < first + count; ++i)
    if (in_group(i)) join(all, o.of_thread[i]);
  for (unsigned i = first; i < first + count; ++i) {
    if (!in_group(i)) continue;
    o.of_thread[i] = all;
    ++o.of_thread[i].seen[i];
  }
}

Cell& cell_at(size_t index) {
  Order& o = order();
  Cell& c = o.cells[index];
  if (c.block == o.block) return c;
  c.block = o.block;
  c.readers.clear();
  c.writer = Writer::nobody;
  if (const EarlierWrite earlier = earlier_write(index * kCellBytes); earlier.written) {
    c.writer = Writer::thread;
    c.actor = earlier.thread;
    c.step = earlier.behind_last_barrier ? kBehindBarrier : kBeforeBarrier;
  }
  return c;
}

std::string by_thread(uint16_t actor) { return text("thread ", actor, " of its block"); }

// Why whoever knows so much must not touch what the cell's writer wrote; null when he may.
const char* unknown_writer(const Cell& c, const std::vector<uint32_t>& seen, unsigned me) {
  if (c.writer == Writer::bulk) {
    const Landing& landing = order().landings[c.step];
    return landing.done && seen[landing.by.actor] >= landing.by.step
               ? nullptr
               : "a bulk copy writes; its mbarrier's phase was not waited for";
  }
  return c.actor == me || seen[c.actor] >= c.step ? nullptr : "wrote with no barrier between";
}
std::string refusal(const char* verb, const Cell& c, const char* why) {
  return c.writer == Writer::bulk ? text(verb, " shared memory that ", why)
                                  : text(verb, " shared memory that ", by_thread(c.actor), " ", why);
}
std::string unknown_reader(const char* verb, const Cell& c, const std::vector<uint32_t>& seen, unsigned me) {
  for (const Touch& r : c.readers) {
    if (r.actor == me || seen[r.actor] >= r.step) continue;
    if (r.actor >= order().threads) return text(verb, " shared memory that wgmma reads; its group was not waited for");
    return text(verb, " shared memory that ", by_thread(r.actor), " read with no barrier between");
  }
  return {};
}
void note_reader(Cell& c, unsigned actor, uint32_t step) {
  for (Touch& r : c.readers)
    if (r.actor == actor) {
      r.step = step;
      return;
    }
  c.readers.push_back({step, uint16_t(actor)});
}
template <class F>
std::string each_cell(size_t at, size_t bytes, F&& f) {
  for (size_t i = at / kCellBytes; i <= (at + bytes - 1) / kCellBytes; ++i)
    if (std::string wrong = f(cell_at(i)); !wrong.empty()) return wrong;
  return {};
}
constexpr const char* kNoFence = "wrote with no fence.proxy.async between";

}  // namespace

bool ordering() { return order().on; }
void begin_ordering(unsigned threads) {
  Order& o = order();
  if (o.on) return;
  o.on = true;
  ++o.block;
  o.threads = threads;
  if (o.cells.empty()) o.cells.resize(2 * kSharedBytes / kCellBytes);
  const size_t actors = threads + kMostBarriers + kMostWarpgroups;
  o.of_thread.assign(threads, {std::vector<uint32_t>(actors), std::vector<uint32_t>(actors)});
  for (unsigned i = 0; i < threads; ++i) {
    std::fill_n(o.of_thread[i].seen.begin(), threads, kBeforeBarrier);
    o.of_thread[i].seen[i] = kBehindBarrier;
  }
  note_ordering();
  o.landings.clear();
}
void end_ordering() { order().on = false; }
void order_block_barrier() {
  meet(0, order().threads, [](unsigned) { return true; });
}
void order_warp_barrier(uint32_t mask, unsigned warp) {
  const unsigned first = warp * kWarp;
  meet(first, std::min(kWarp, order().threads - first), [&](unsigned i) { return (mask >> (i - first) & 1) != 0; });
}

void release_to(Knowledge& knowledge) {
  Knowledge& mine = order().of_thread[place.id];
  join(knowledge, mine);
  ++mine.seen[place.id];
}
void acquire_from(const Knowledge& knowledge) { join(order().of_thread[place.id], knowledge); }
void fence_proxy() {
  Knowledge& mine = order().of_thread[place.id];
  mine.fenced = mine.seen;
  ++mine.seen[place.id];
}

unsigned barrier_actor(unsigned barrier) { return order().threads + barrier; }
unsigned warpgroup_actor(unsigned group) { return order().threads + kMostBarriers + group; }
void learn(unsigned actor, uint32_t step) { learn_of(order().of_thread[place.id], actor, step); }
void learn_of(Knowledge& knowledge, unsigned actor, uint32_t step) {
  for (auto* known : {&knowledge.seen, &knowledge.fenced}) (*known)[actor] = std::max((*known)[actor], step);
}
bool anybody_knows(unsigned actor, uint32_t step) {
  return std::any_of(order().of_thread.begin(), order().of_thread.end(),
                     [&](const Knowledge& k) { return k.seen[actor] >= step; });
}
Knowledge least_of(unsigned first_thread, unsigned count) {
  const Order& o = order();
  Knowledge least = o.of_thread[first_thread];
  // A thread knows of its own steps; the others of its warp must have heard of them.
  const auto meet_least = [](std::vector<uint32_t>& into, const std::vector<uint32_t>& from) {
    for (size_t i = 0; i < into.size(); ++i) into[i] = std::min(into[i], from[i]);
  };
  for (unsigned i = first_thread + 1; i < first_thread + count; ++i)
    meet_least(least.seen, o.of_thread[i].seen), meet_least(least.fenced, o.of_thread[i].fenced);
  return least;
}

std::string ordered_access(size_t at, size_t bytes, Access kind) {
  const std::vector<uint32_t>& seen = order().of_thread[place.id].seen;
  const unsigned me = place.id;
  const char* const verb = kind == Access::read ? "reads" : kind == Access::write ? "writes" : "updates atomically";
  return each_cell(at, bytes, [&](Cell& c) -> std::string {
    if (c.writer == Writer::nobody && kind != Access::write)
      return text(verb, " shared memory that nobody has written");
    if (c.writer != Writer::nobody && !(kind == Access::atomic && c.writer == Writer::atomic))
      if (const char* why = unknown_writer(c, seen, me)) return refusal(verb, c, why);
    if (kind == Access::read) {
      note_reader(c, me, seen[me]);
      return {};
    }
    if (std::string wrong = unknown_reader(verb, c, seen, me); !wrong.empty()) return wrong;
    c.writer = kind == Access::atomic ? Writer::atomic : Writer::thread;
    c.actor = uint16_t(me);
    c.step = seen[me];
    c.readers.clear();
    return {};
  });
}
void forget_order(size_t at, size_t bytes) {
  each_cell(at, bytes, [](Cell& c) -> std::string {
    c.writer = Writer::nobody;
    return {};
  });
}

uint32_t new_landing() {
  order().landings.push_back({});
  return uint32_t(order().landings.size() - 1);
}
void landed(uint32_t landing, unsigned actor, uint32_t step) {
  order().landings[landing] = {true, {step, uint16_t(actor)}};
}
std::string bulk_write(size_t at, size_t bytes, uint32_t landing) {
  const Knowledge& mine = order().of_thread[place.id];
  constexpr const char* kVerb = "a bulk copy into";
  return each_cell(at, bytes, [&](Cell& c) -> std::string {
    if (c.writer != Writer::nobody) {
      if (const char* why = unknown_writer(c, mine.seen, place.id)) return refusal(kVerb, c, why);
      if (c.writer != Writer::bulk && mine.fenced[c.actor] < c.step) return refusal(kVerb, c, kNoFence);
    }
    if (std::string wrong = unknown_reader(kVerb, c, mine.seen, place.id); !wrong.empty()) return wrong;
    c.writer = Writer::bulk;
    c.step = landing;
    c.readers.clear();
    return {};
  });
}
std::string wgmma_read(size_t at, size_t bytes, const Knowledge& least, unsigned actor, uint32_t step) {
  constexpr unsigned kNoThread = ~0u;
  return each_cell(at, bytes, [&](Cell& c) -> std::string {
    if (c.writer == Writer::nobody) return "wgmma reads shared memory that nobody has written";
    if (c.writer == Writer::bulk || least.fenced[c.actor] < c.step) {
      if (const char* why = unknown_writer(c, least.seen, kNoThread)) return refusal("wgmma reads", c, why);
      if (c.writer != Writer::bulk) return refusal("wgmma reads", c, kNoFence);
    }
    note_reader(c, actor, step);
    return {};
  });
}

}  // namespace kern::emulator
