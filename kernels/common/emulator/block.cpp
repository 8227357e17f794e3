#include "kernels/common/emulator/block.h"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/common/emulator/bulk.h"
#include "kernels/common/emulator/checks.h"
#include "kernels/common/emulator/fiber.h"
#include "kernels/common/emulator/heap.h"
#include "kernels/common/emulator/ordering.h"
#include "kernels/common/emulator/scheduler.h"
#include "kernels/common/emulator/symbols.h"
#include "kernels/common/emulator/warpgroup.h"
#include "kernels/common/error.h"

namespace kern::emulator {

Place place;

namespace {

enum class State : uint8_t { fresh, ready, waiting, ended };

struct AsyncCopy {
  void* shared;
  const void* global;
  unsigned bytes, valid;
  uint64_t group;
};

struct Thread {
  State state = State::fresh;
  uint3 index{};
  Fiber* fiber = nullptr;
  SourceLocation waits_at{};
  const char* waits_for = "";
  uint64_t group = 0;  // of the cp.async that it issues now
  std::vector<AsyncCopy> copies;
};

struct WarpMeeting {
  const char* what = nullptr;
  SourceLocation at{};
  uint32_t arrived = 0;
  Exchange exchange;
};

struct Variable {
  const void* key;
  size_t offset, bytes;
};

struct Block {
  const Launch* launch = nullptr;
  std::vector<Thread> threads;
  std::vector<unsigned> ready;  // whoever may go on
  unsigned running = 0;
  // the barrier of the block
  unsigned arrived = 0, votes = 0, vote_result = 0;
  SourceLocation barrier_at{};
  unsigned ended = 0;
  std::array<std::vector<std::unique_ptr<WarpMeeting>>, kMaxThreads / kWarp> meetings;
  std::vector<std::unique_ptr<WarpMeeting>> spare_meetings;
  std::byte results[kMaxThreads][kPayload];  // what each thread takes from its last meeting
  std::vector<Variable> variables;
  size_t shared_used = 0, static_shared = 0;
  std::string fault;
};
Block block;
bool running_kernel = false;
std::string host_fault;

std::vector<std::unique_ptr<Fiber>> all_fibers;
std::vector<Fiber*> free_fibers;

uint64_t random_state = 0;
uint64_t chosen_seed = [] {
  const char* text = std::getenv("KERN_EMULATOR_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}();

std::byte* shared_memory() {  // begins after a gap that no variable can reach across
  static std::byte* memory = static_cast<std::byte*>(
      mmap(nullptr, 2 * kSharedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  return memory;
}

std::string index_text(uint3 v) { return text('(', v.x, ',', v.y, ',', v.z, ')'); }
std::string place_text(unsigned id) {
  return text("thread ", index_text(block.threads[id].index), " of block ", index_text(place.block));
}
std::string at_text(SourceLocation at) { return text(short_path(at.file), ":", at.line); }

void give_way() {
  Thread& me = block.threads[block.running];
  me.fiber->suspend();
}

// Ends the launch: this thread never goes on.
void stop_launch(std::string sentence) {
  if (block.fault.empty()) block.fault = std::move(sentence);
  for (;;) give_way();
}

void thread_body(void*) {
  set_checks_paused(false);
  block.launch->call(block.launch->kernel, block.launch->parameters.get());
  set_checks_paused(true);
}

void take_turn(unsigned id) {
  Thread& t = block.threads[id];
  block.running = id;
  place.id = id;
  place.thread = t.index;
  if (t.state == State::fresh) {
    if (free_fibers.empty()) {
      all_fibers.push_back(std::make_unique<Fiber>());
      free_fibers.push_back(all_fibers.back().get());
    }
    t.fiber = free_fibers.back();
    free_fibers.pop_back();
    t.state = State::ready;
    set_stack(t.fiber->stack(), Fiber::kStackBytes);
    t.fiber->start(thread_body, nullptr);
  } else {
    set_stack(t.fiber->stack(), Fiber::kStackBytes);
    t.fiber->resume();
  }
  if (t.fiber->finished()) {
    t.state = State::ended;
    ++block.ended;
    end_warpgroup_thread();
    free_fibers.push_back(t.fiber);
    t.fiber = nullptr;
  }
}

// Nobody can go on, and some have not ended: says who waits for whom.
std::string deadlock() {
  const Thread* first = nullptr;
  unsigned first_id = 0, waiting = 0;
  const Thread* other = nullptr;
  for (unsigned i = 0; i < block.threads.size(); ++i) {
    const Thread& t = block.threads[i];
    if (t.state != State::waiting) continue;
    ++waiting;
    if (!first) first = &t, first_id = i;
    else if (!other && (t.waits_at.line != first->waits_at.line || std::strcmp(t.waits_at.file, first->waits_at.file)))
      other = &t;
  }
  std::string sentence = text(place_text(first_id), " waits at ", first->waits_for, ", ", at_text(first->waits_at));
  if (const std::string phase = mbarrier_waited_for(first_id); !phase.empty())
    return text(sentence, ", for ", phase, "; ", block.ended, " of ", block.threads.size(), " threads have ended");
  sentence += text(", for threads that will not come: ", block.ended, " of ", block.threads.size(), " have ended");
  if (other) sentence += text(", others wait at ", other->waits_for, ", ", at_text(other->waits_at));
  return sentence + "; every thread must reach the same barriers";
}

void run_block(uint3 index, uint32_t number) {
  place.block = index;
  begin_block(number);
  const dim3 size = block.launch->block;
  const unsigned n = size.x * size.y * size.z;
  block.threads.resize(n);
  block.ready.clear();
  for (unsigned i = 0; i < n; ++i) {
    Thread& t = block.threads[i];
    t.state = State::fresh;
    t.index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    t.group = 0;
    t.copies.clear();
    block.ready.push_back(i);
  }
  block.arrived = block.votes = block.ended = 0;
  block.variables.clear();
  block.shared_used = 0;
  end_ordering();
  begin_bulk();
  begin_warpgroups();
  if (block.launch->shared_bytes) shared_variable(&block, block.launch->shared_bytes, 128, {});
  while (block.fault.empty()) {
    if (block.ready.empty()) {
      if (block.ended == n || !bulk_is_late(block.fault)) break;
      continue;
    }
    bulk_at_any_time(block.fault);
    const uint32_t pick = random_below(block.ready.size());
    std::swap(block.ready[pick], block.ready.back());
    const unsigned id = block.ready.back();
    block.ready.pop_back();
    take_turn(id);
  }
  if (block.fault.empty()) block.fault = block.ended == n ? end_bulk() : deadlock();
  if (block.fault.empty()) block.fault = end_warpgroups();
  for (Thread& t : block.threads)  // after a fault: the others are forgotten where they stand
    if (t.fiber) free_fibers.push_back(t.fiber), t.fiber = nullptr;
  for (auto& warp : block.meetings)
    while (!warp.empty()) block.spare_meetings.push_back(std::move(warp.back())), warp.pop_back();
}

bool same_line(SourceLocation a, SourceLocation b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

}  // namespace

bool in_kernel() { return running_kernel; }

unsigned block_threads() { return unsigned(block.threads.size()); }
bool has_ended(unsigned thread) { return block.threads[thread].state == State::ended; }
bool in_shared_memory(const void* p) {
  return static_cast<const std::byte*>(p) >= shared_memory() &&
         static_cast<const std::byte*>(p) < shared_memory() + 2 * kSharedBytes;
}
size_t shared_offset(const void* p) { return size_t(static_cast<const std::byte*>(p) - shared_memory()); }
std::byte* shared_at(size_t offset) { return shared_memory() + offset; }
uint32_t random_below(size_t n) {  // splitmix64
  uint64_t z = (random_state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return uint32_t(((z ^ (z >> 31)) >> 32) * n >> 32);
}
void wait_for(const char* what, SourceLocation at) {
  Thread& me = block.threads[block.running];
  me.state = State::waiting;
  me.waits_for = what;
  me.waits_at = at;
  give_way();
}
void wake(unsigned thread) {
  block.threads[thread].state = State::ready;
  block.ready.push_back(thread);
}

std::string refused(const Launch& launch) {
  const uint64_t threads = uint64_t(launch.block.x) * launch.block.y * launch.block.z;
  if (threads == 0 || threads > kMaxThreads || launch.block.z > 64)
    return text(launch.name, ": a block of ", threads, " threads; it may have 1 to ", kMaxThreads, " (64 in z)");
  if (launch.grid.y > 65535 || launch.grid.z > 65535 || launch.grid.x > 0x7fffffffu)
    return text(launch.name, ": a grid of ", launch.grid.x, "x", launch.grid.y, "x", launch.grid.z,
                " blocks; y and z may be 65535 at most");
  return {};
}

std::string run(const Launch& launch) {
  const ChecksPaused pause;
  block.launch = &launch;
  block.fault.clear();
  block.static_shared = 0;
  place.block_size = launch.block;
  place.grid_size = launch.grid;
  random_state = chosen_seed * 0x2545F4914F6CDD1D;
  begin_launch(reinterpret_cast<uintptr_t>(launch.parameters.get()), launch.parameter_bytes);
  running_kernel = true;
  // Blocks in a shuffled order: a stride that is prime to their number visits each once.
  const uint64_t blocks = uint64_t(launch.grid.x) * launch.grid.y * launch.grid.z;
  uint64_t stride = 1 + random_below(size_t(std::min<uint64_t>(blocks, 1u << 30)));
  auto gcd = [](uint64_t a, uint64_t b) {
    while (b) a %= b, std::swap(a, b);
    return a;
  };
  while (gcd(stride, blocks) != 1) ++stride;
  uint64_t at = random_below(size_t(std::min<uint64_t>(blocks, 1u << 30)));
  for (uint64_t i = 0; i < blocks && block.fault.empty(); ++i, at = (at + stride) % blocks)
    run_block({unsigned(at % launch.grid.x), unsigned(at / launch.grid.x % launch.grid.y),
               unsigned(at / (uint64_t(launch.grid.x) * launch.grid.y))},
              uint32_t(at));
  running_kernel = false;
  end_launch();
  return block.fault.empty() ? std::string() : launch.name + ": " + block.fault;
}

void fault(const std::string& what, SourceLocation at) {
  const ChecksPaused pause;
  if (running_kernel) stop_launch(text(place_text(block.running), ": ", what, " (", at_text(at), ")"));
  if (host_fault.empty()) host_fault = text(what, " (", at_text(at), ")");
}
void fault(const std::string& what, void* pc) {
  const ChecksPaused pause;
  if (running_kernel) stop_launch(text(place_text(block.running), ": ", what, " (", line_of(pc), ")"));
  if (host_fault.empty()) host_fault = text(what, " (", line_of(pc), ")");
}
void shuffle_fault(const char* what, int source, SourceLocation at) {
  const ChecksPaused pause;
  fault(text(what, " reads lane ", source, ", which is not in its mask"), at);
}
void check_aligned(const void* address, size_t bytes, SourceLocation at) {
  if (reinterpret_cast<uintptr_t>(address) % bytes == 0) return;
  const ChecksPaused pause;
  fault(text("touches ", bytes, " bytes at an address that is not a multiple of ", bytes), at);
}
size_t static_shared_bytes() { return block.static_shared; }
std::string take_host_fault() { return std::exchange(host_fault, {}); }

void set_seed(uint64_t seed) { chosen_seed = seed; }
uint64_t seed() { return chosen_seed; }

int block_vote(int predicate, int (*combine)(int count, int size), SourceLocation at) {
  const ChecksPaused pause;
  if (block.ended > 0)
    fault(text("reaches a barrier of the block after ", block.ended, " of its threads have ended"), at);
  if (block.arrived == 0) {
    block.barrier_at = at;
    block.votes = 0;
  } else if (!same_line(block.barrier_at, at)) {
    fault(text("reaches a barrier of the block while others wait at another one, ", at_text(block.barrier_at)), at);
  }
  block.votes += predicate != 0;
  const unsigned n = unsigned(block.threads.size());
  if (++block.arrived < n) {
    wait_for("a barrier of the block", at);
  } else {
    block.arrived = 0;
    block.vote_result = unsigned(combine(int(block.votes), int(n)));
    note_block_barrier();
    for (unsigned i = 0; i < n; ++i)
      if (i != block.running) wake(i);
    // Whoever came last goes on no sooner than the others.
    wake(block.running);
    give_way();
  }
  return int(block.vote_result);
}
void block_barrier(SourceLocation at) {
  block_vote(
      0, [](int, int) { return 0; }, at);
}

void warp_exchange(const char* what, uint32_t mask, const void* bring, size_t bring_bytes, void* take,
                   size_t take_bytes, void (*combine)(Exchange&), SourceLocation at) {
  const ChecksPaused pause;
  const unsigned warp = place.warp(), lane = place.lane(), first = warp * kWarp;
  const unsigned size = unsigned(std::min<size_t>(kWarp, block.threads.size() - first));
  if (!(mask >> lane & 1)) fault(text(what, ": its mask ", mask, " leaves out the lane ", lane, " that calls it"), at);
  if (size < kWarp && mask == 0xffffffffu) mask = (1u << size) - 1;  // the last warp of a block may be short
  if (size < kWarp && mask >> size) fault(text(what, ": its mask names lanes that the block does not have"), at);
  auto& meetings = block.meetings[warp];
  WarpMeeting* meeting = nullptr;
  for (auto& m : meetings) {
    if (!(m->exchange.mask & mask)) continue;
    if (m->exchange.mask != mask || m->what != what || !same_line(m->at, at))
      fault(text(what, ": other lanes of the warp wait at ", m->what, ", ", at_text(m->at)), at);
    meeting = m.get();
  }
  for (unsigned l = 0; l < size; ++l)
    if ((mask >> l & 1) && block.threads[first + l].state == State::ended)
      fault(text(what, ": lane ", l, " of the warp has ended and cannot come"), at);
  if (!meeting) {
    if (block.spare_meetings.empty()) block.spare_meetings.push_back(std::make_unique<WarpMeeting>());
    meetings.push_back(std::move(block.spare_meetings.back()));
    block.spare_meetings.pop_back();
    meeting = meetings.back().get();
    meeting->what = what;
    meeting->at = at;
    meeting->arrived = 0;
    meeting->exchange.mask = mask;
  }
  std::memcpy(meeting->exchange.bring[lane], bring, bring_bytes);
  meeting->arrived |= 1u << lane;
  if (meeting->arrived != mask) {
    wait_for(what, at);
  } else {
    combine(meeting->exchange);
    for (auto& m : meetings)
      if (m.get() == meeting) {
        std::swap(m, meetings.back());
        break;
      }
    std::unique_ptr<WarpMeeting> done = std::move(meetings.back());
    meetings.pop_back();
    for (unsigned l = 0; l < size; ++l)
      if (mask >> l & 1) {
        std::memcpy(block.results[first + l], done->exchange.take[l], take_bytes);
        if (l != lane) wake(first + l);
      }
    block.spare_meetings.push_back(std::move(done));
    wake(block.running);
    give_way();
  }
  std::memcpy(take, block.results[place.id], take_bytes);
}
void warp_barrier(uint32_t mask, SourceLocation at) {
  char none = 0;
  warp_exchange(
      "__syncwarp", mask, &none, 0, &none, 0, [](Exchange& e) { note_warp_barrier(e.mask, place.warp()); }, at);
}

void peek(const void* address, void* into, size_t bytes) { std::memcpy(into, address, bytes); }
void poke(void* address, const void* from, size_t bytes) { std::memcpy(address, from, bytes); }

void* shared_variable(const void* key, size_t bytes, size_t alignment, SourceLocation at) {
  const ChecksPaused pause;
  for (const Variable& v : block.variables)
    if (v.key == key) return shared_memory() + v.offset;
  constexpr size_t kGap = 64;  // between variables: a small step beyond one is not inside the next
  const size_t offset = (block.shared_used + kGap + alignment - 1) / alignment * alignment;
  size_t total = bytes;
  for (const Variable& v : block.variables) total += v.bytes;
  const size_t limit = block.launch->shared_limit, of_variables = total - block.launch->shared_bytes;
  if (total > limit || of_variables > kStaticSharedBytes) {
    const std::string what =
        text("a block asks for ", total, " bytes of shared memory, ", block.launch->shared_bytes,
             " of them at the launch; it may have ", of_variables > kStaticSharedBytes ? kStaticSharedBytes : limit,
             limit <= kStaticSharedBytes ? ", more with cudaFuncSetAttribute" : "");
    if (key == &block) block.fault = what;
    else fault(what, at);
    return nullptr;
  }
  block.variables.push_back({key, offset, bytes});
  block.static_shared = std::max(block.static_shared, of_variables);
  block.shared_used = offset + bytes;
  std::memset(shared_memory() + offset, 0xff, bytes);  // NaN
  allow_shared(reinterpret_cast<uintptr_t>(shared_memory() + offset), bytes);
  return shared_memory() + offset;
}
void* dynamic_shared() { return shared_variable(&block, 0, 128, {}); }

void copy_async(void* shared, const void* global, unsigned bytes, unsigned valid, SourceLocation at) {
  const ChecksPaused pause;
  if (bytes != 4 && bytes != 8 && bytes != 16) fault(text("cp.async of ", bytes, " bytes; it takes 4, 8 or 16"), at);
  if (valid > bytes) fault(text("cp.async of ", bytes, " bytes with ", valid, " valid ones"), at);
  if (valid) check_read(global, valid, at);
  check_write(shared, bytes, at);
  forget_shared(reinterpret_cast<uintptr_t>(shared), bytes);
  std::memset(shared, 0xff, bytes);
  Thread& me = block.threads[block.running];
  me.copies.push_back({shared, global, bytes, valid, me.group});
}
void copy_async_commit() { ++block.threads[block.running].group; }
void copy_async_wait(unsigned groups_left) {
  const ChecksPaused pause;
  Thread& me = block.threads[block.running];
  size_t kept = 0;
  for (const AsyncCopy& c : me.copies) {
    if (c.group + groups_left >= me.group) {
      me.copies[kept++] = c;
      continue;
    }
    heap_copy(c.shared, c.global, c.valid);  // memcpy would be seen by AddressSanitizer
    std::memset(static_cast<std::byte*>(c.shared) + c.valid, 0, c.bytes - c.valid);
    check_write(c.shared, c.bytes, SourceLocation::current("cp.async", 0, ""));
  }
  me.copies.resize(kept);
}

}  // namespace kern::emulator
