// A strict stand-in for NCCL on the emulated GPUs of several processes: libkern_fake_nccl.so, opened through KERN_NCCL. It knows what
// kernels/common/nvidia/nccl_api.h declares and no more; ranks meet in a file of shared memory that the unique id
// names. A sum is carried out when its stream gets there, by every rank in the order of ranks. Ranks that ask for sums
// of different lengths, and a rank that does not come, are errors of the stream.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kernels/common/emulator/library.h"
#include "kernels/common/nvidia/nccl_api.h"

namespace {

using namespace kern::nccl;

const kern::emulator::EmulatedGpu* gpu = nullptr;
constexpr int kMostRanks = 16;
constexpr size_t kPiece = 1 << 14;  // values that a rank shows the others at a time
constexpr auto kPatience = std::chrono::seconds(60);

struct Meeting {
  std::atomic<int> size, came[kMostRanks], waiting, round, gone;
  uint64_t count[kMostRanks];
  float shown[kMostRanks][kPiece];
};
static_assert(std::atomic<int>::is_always_lock_free);

struct Rank {
  Meeting* all;
  int rank, size;
  std::string file;
  // False if not all came.
  bool meet() const {
    const int round = all->round.load();
    if (all->waiting.fetch_add(1) + 1 == size) {
      all->waiting = 0;
      all->round.fetch_add(1);
      return true;
    }
    const auto begin = std::chrono::steady_clock::now();
    while (all->round.load() == round) {
      if (all->gone.load() || std::chrono::steady_clock::now() - begin > kPatience) return false;
      std::this_thread::yield();
    }
    return true;
  }
};
std::mutex mutex;
std::set<Rank*>& live() {
  static auto& all = *new std::set<Rank*>;
  return all;
}
bool known(Communicator c) {
  std::lock_guard lock(mutex);
  return live().contains(reinterpret_cast<Rank*>(c));
}

std::string name_of(const UniqueId& id) { return {id.bytes, strnlen(id.bytes, sizeof id.bytes)}; }

std::string add_up(const Rank& r, const void* from, void* to, size_t count) {
  constexpr const char* kAlone = "NCCL's stand-in: a rank did not come";
  r.all->count[r.rank] = count;
  if (!r.meet()) return kAlone;
  for (int other = 0; other < r.size; ++other)
    if (r.all->count[other] != count)
      return "NCCL's stand-in: the ranks' sums are of different lengths: " + std::to_string(count) + " and " +
             std::to_string(r.all->count[other]);
  std::vector<float> sum(kPiece);
  for (size_t at = 0; at < count; at += kPiece) {
    const size_t n = std::min(kPiece, count - at);
    if (std::string wrong = gpu->copy(r.all->shown[r.rank], static_cast<const float*>(from) + at, n * sizeof(float));
        !wrong.empty())
      return "NCCL's stand-in: " + wrong;
    if (!r.meet()) return kAlone;
    std::copy_n(r.all->shown[0], n, sum.begin());
    for (int other = 1; other < r.size; ++other)
      for (size_t i = 0; i < n; ++i) sum[i] += r.all->shown[other][i];
    if (!r.meet()) return kAlone;
    if (std::string wrong = gpu->copy(static_cast<float*>(to) + at, sum.data(), n * sizeof(float)); !wrong.empty())
      return "NCCL's stand-in: " + wrong;
  }
  return {};
}

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED void kern_attach_emulated_gpu(const kern::emulator::EmulatedGpu* c) { gpu = c; }

EXPORTED Result ncclGetVersion(int* version) {
  if (!version) return Result::invalid_argument;
  return *version = 22803, Result::success;
}
EXPORTED const char* ncclGetErrorString(Result r) {
  return r == Result::success            ? "no error"
         : r == Result::invalid_argument ? "invalid argument"
         : r == Result::invalid_usage    ? "invalid usage"
         : r == Result::remote_error     ? "remote process exited or there was a network error"
                                         : "NCCL operation in progress";
}
EXPORTED Result ncclGetUniqueId(UniqueId* id) {
  static std::atomic<int> made{0};
  if (!gpu || !id) return Result::invalid_argument;
  *id = {};
  std::snprintf(id->bytes, sizeof id->bytes, "/kern_fake_nccl_%d_%d", int(::getpid()), made.fetch_add(1));
  const int file = ::shm_open(id->bytes, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(Meeting)) != 0) return Result::invalid_usage;
  ::close(file);
  return Result::success;
}
EXPORTED Result ncclCommInitRank(Communicator* out, int ranks, UniqueId id, int rank) {
  if (!gpu || !out || ranks < 1 || ranks > kMostRanks || rank < 0 || rank >= ranks) return Result::invalid_argument;
  const std::string name = name_of(id);
  const int file = ::shm_open(name.c_str(), O_RDWR, 0600);
  if (file < 0) return Result::invalid_usage;
  void* const memory = ::mmap(nullptr, sizeof(Meeting), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) return Result::invalid_usage;
  auto* const all = static_cast<Meeting*>(memory);  // made of zeros, which is how it begins
  int nobody = 0;
  if (all->came[rank].exchange(1) || !(all->size.compare_exchange_strong(nobody, ranks) || nobody == ranks))
    return Result::invalid_usage;
  auto* const r = new Rank{all, rank, ranks, name};
  if (!r->meet()) return Result::remote_error;
  if (rank == 0) ::shm_unlink(name.c_str());
  {
    std::lock_guard lock(mutex);
    live().insert(r);
  }
  *out = reinterpret_cast<Communicator>(r);
  return Result::success;
}
EXPORTED Result ncclCommAbort(Communicator c) {
  if (!known(c)) return Result::invalid_argument;
  auto* const r = reinterpret_cast<Rank*>(c);
  r->all->gone = 1;
  std::lock_guard lock(mutex);
  live().erase(r);
  return Result::success;  // what is in the stream still may look at it
}
EXPORTED Result ncclCommGetAsyncError(Communicator c, Result* since) {
  if (!known(c) || !since) return Result::invalid_argument;
  *since = reinterpret_cast<Rank*>(c)->all->gone ? Result::remote_error : Result::success;
  return Result::success;
}
EXPORTED Result ncclAllReduce(const void* from, void* to, size_t count, NcclDataType type, Reduction op, Communicator c,
                              void* stream) {
  if (!known(c) || !from || !to || count == 0 || type != NcclDataType::float32 || op != Reduction::sum)
    return Result::invalid_argument;
  const Rank& r = *reinterpret_cast<Rank*>(c);
  gpu->enqueue([&r, from, to, count] { return add_up(r, from, to, count); }, stream);
  return Result::success;
}
