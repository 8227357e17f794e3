#include "engine/mpi/mpi.h"

#include "engine/communicator.h"
#include "kernels/common/error.h"

#ifdef KERN_HAS_MPI
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <thread>

namespace kern {
namespace {

using Clock = std::chrono::steady_clock;

// Values of one message to one rank; a sum of more goes in pieces, so that what it needs beside the values is bounded.
constexpr int64_t kPiece = 1 << 22;
// Messages of ranks in trouble, and how long the others are given to say theirs.
enum Tag { kWaitsInVain, kLastWords };
constexpr auto kMoment = std::chrono::seconds(3);

void check_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char reason[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, reason, &length);
  throw Error(text("MPI: ", what, " failed: ", std::string_view(reason, size_t(length))));
}

double timeout_seconds() {
  const char* value = std::getenv("KERN_RANK_TIMEOUT");
  if (!value) return 600;
  char* end = nullptr;
  const double seconds = std::strtod(value, &end);
  check(end != value && !*end && seconds > 0, "KERN_RANK_TIMEOUT must be a number of seconds, got '", value, "'");
  return seconds;
}

// A sum over ranks on its way, in two exchanges: every rank gets everyone's values of its own share, adds them in the
// order of ranks, and gives the sums to all. Both send what a ring would.
class Sum {
 public:
  Sum(void* values, int64_t n, size_t width, MPI_Datatype type, int rank, int size)
      : values_(static_cast<std::byte*>(values)), width_(width), type_(type), rank_(rank), size_(size) {
    for (int r = 0; r <= size; ++r) begins_.push_back(int(n * r / size));
    for (int r = 0; r < size; ++r) counts_.push_back(begins_[size_t(r) + 1] - begins_[size_t(r)]);
    for (int r = 0; r < size; ++r) mine_at_.push_back(r * share());
    mine_.assign(size_t(size), share());
    begins_.pop_back();
    received_.resize(size_t(share()) * size_t(size) * width);
  }
  void send_shares(MPI_Comm comm) {
    check_mpi(MPI_Ialltoallv(values_, counts_.data(), begins_.data(), type_, received_.data(), mine_.data(),
                             mine_at_.data(), type_, comm, &request_),
              "a sum over ranks");
  }
  template <class T>
  void add() {
    T* const to = reinterpret_cast<T*>(values_) + begins_[size_t(rank_)];
    std::memcpy(to, received_.data(), size_t(share()) * width_);
    for (int r = 1; r < size_; ++r) {
      const T* const from = reinterpret_cast<const T*>(received_.data()) + int64_t(r) * share();
      for (int i = 0; i < share(); ++i) to[i] += from[i];
    }
  }
  void add() {
    if (type_ == MPI_FLOAT) add<float>();
    else if (type_ == MPI_DOUBLE) add<double>();
    else add<int64_t>();
    received_ = {};
  }
  void send_sums(MPI_Comm comm) {
    check_mpi(MPI_Iallgatherv(MPI_IN_PLACE, 0, type_, values_, counts_.data(), begins_.data(), type_, comm, &request_),
              "a sum over ranks");
  }
  MPI_Request& request() { return request_; }

 private:
  int share() const { return counts_[size_t(rank_)]; }
  std::byte* values_;
  size_t width_;
  MPI_Datatype type_;
  int rank_, size_;
  std::vector<int> begins_, counts_, mine_, mine_at_;  // in values
  std::vector<std::byte> received_;                    // [size, share]
  MPI_Request request_ = MPI_REQUEST_NULL;
};

class MpiCommunicator final : public Communicator {
 public:
  static std::unique_ptr<MpiCommunicator> join() {
    int rank = 0, size = 1, local_rank = 0, local_size = 1;
    check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "asking for the rank");
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size), "asking for the number of ranks");
    MPI_Comm local = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &local),
              "finding the ranks of this machine");
    MPI_Comm_rank(local, &local_rank);
    MPI_Comm_size(local, &local_size);
    MPI_Comm_free(&local);
    return std::unique_ptr<MpiCommunicator>(new MpiCommunicator({rank, size, local_rank, local_size}));
  }
  ~MpiCommunicator() override {
    for (MPI_Comm* c : {&calls_, &shares_, &sums_, &words_}) MPI_Comm_free(c);
  }

  using Communicator::sum;
  void sum(void* values, size_t n, Type type) override {
    const MPI_Datatype t = type == Type::f32 ? MPI_FLOAT : type == Type::f64 ? MPI_DOUBLE : MPI_INT64_T;
    begin(values, n, type == Type::f32 ? sizeof(float) : sizeof(double), t);
    finish_sums();
  }
  void begin_sum(std::span<float> values) override { begin(values.data(), values.size(), sizeof(float), MPI_FLOAT); }
  void progress() override {
    while (!sending_.empty() && done(sending_.front().request())) {
      sending_.front().add();
      gathering_.push_back(std::move(sending_.front()));
      sending_.pop_front();
      gathering_.back().send_sums(sums_);
    }
    while (!gathering_.empty() && done(gathering_.front().request())) gathering_.pop_front();
  }
  void finish_sums() override {
    wait([&] { return progress(), sending_.empty() && gathering_.empty(); });
  }

  void broadcast(std::span<std::byte> bytes, int from) override {
    for (size_t at = 0; at < bytes.size(); at += size_t(kPiece)) {
      MPI_Request r = MPI_REQUEST_NULL;
      const int n = int(std::min(size_t(kPiece), bytes.size() - at));
      check_mpi(MPI_Ibcast(bytes.data() + at, n, MPI_BYTE, from, calls_, &r), "a broadcast");
      wait(r);
    }
  }
  std::vector<std::string> gather(std::string_view mine) override {
    std::vector<int64_t> lengths(size_t(size()), 0);
    lengths[size_t(rank())] = int64_t(mine.size());
    Communicator::sum(std::span(lengths));
    std::vector<std::string> all;
    for (int r = 0; r < size(); ++r) {
      std::string s = r == rank() ? std::string(mine) : std::string(size_t(lengths[size_t(r)]), '\0');
      broadcast(std::as_writable_bytes(std::span(s)), r);
      all.push_back(std::move(s));
    }
    return all;
  }
  void barrier() override {
    MPI_Request r = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibarrier(calls_, &r), "a barrier");
    wait(r);
  }
  // However long it takes: the first rank may still be writing its report.
  void wait_for_all() {
    MPI_Request r = MPI_REQUEST_NULL;
    if (MPI_Ibarrier(calls_, &r) != MPI_SUCCESS) return;
    for (int there = 0; !there; std::this_thread::sleep_for(std::chrono::milliseconds(5)))
      if (MPI_Test(&r, &there, MPI_STATUS_IGNORE) != MPI_SUCCESS) return;
  }
  std::vector<std::string> last_words(std::string_view mine) override {
    std::vector<std::string> said;
    said.resize(size_t(size()));
    said[size_t(rank())] = mine;
    // What is under way reads and writes memory that the error has left.
    if (!sending_.empty() || !gathering_.empty()) return said;
    static std::string words;  // until the process has ended
    words = mine;
    tell_all(words, kLastWords);
    int silent = size() - 1;
    for (const auto begin = Clock::now(); silent > 0 && Clock::now() - begin < kMoment;) {
      MPI_Status status;
      if (!heard(kLastWords, status)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      int length = 0;
      MPI_Get_count(&status, MPI_CHAR, &length);
      std::string& theirs = said[size_t(status.MPI_SOURCE)];
      theirs.resize(size_t(length));
      MPI_Recv(theirs.data(), length, MPI_CHAR, status.MPI_SOURCE, kLastWords, words_, MPI_STATUS_IGNORE);
      --silent;
    }
    return said;
  }
  [[noreturn]] void abort(int exit_code) override {
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    ::_exit(exit_code);
  }

 private:
  explicit MpiCommunicator(Place place) : Communicator(place), timeout_(timeout_seconds()) {
    for (MPI_Comm* c : {&calls_, &shares_, &sums_, &words_}) {
      check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, c), "making a communicator");
      MPI_Comm_set_errhandler(*c, MPI_ERRORS_RETURN);
    }
  }

  static bool done(MPI_Request& request) {
    int flag = 0;
    check_mpi(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), "waiting for the other ranks");
    return flag;
  }
  // Processors may be fewer than ranks: who waits long lets others go first.
  template <class Ready>
  void wait(const Ready& ready) {
    const auto begin = Clock::now();
    for (int64_t tries = 0; !ready(); ++tries) {
      if (tries < 100) continue;
      if (tries < 2000) std::this_thread::yield();
      else std::this_thread::sleep_for(std::chrono::microseconds(50));
      MPI_Status status;  // another may have begun to wait earlier
      if (tries % 16 == 0 && heard(kWaitsInVain, status)) name_the_absent();
      if (std::chrono::duration<double>(Clock::now() - begin).count() > timeout_) name_the_absent();
    }
  }
  void wait(MPI_Request& r) {
    wait([&] { return done(r); });
  }

  void begin(void* values, size_t n, size_t width, MPI_Datatype type) {
    const int64_t piece = kPiece * size();
    for (int64_t at = 0; at < int64_t(n); at += piece) {
      sending_.emplace_back(static_cast<std::byte*>(values) + size_t(at) * width, std::min(piece, int64_t(n) - at),
                            width, type, rank(), size());
      sending_.back().send_shares(shares_);
    }
  }

  void tell_all(std::string_view words, int tag) {
    for (int r = 0; r < size(); ++r) {
      MPI_Request ignored = MPI_REQUEST_NULL;
      if (r != rank()) MPI_Isend(words.data(), int(words.size()), MPI_CHAR, r, tag, words_, &ignored);
    }
  }
  bool heard(int tag, MPI_Status& status) {
    int flag = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, tag, words_, &flag, &status);
    return flag;
  }

  // Everyone who waits in vain says so to all, and all who wait do likewise; who says nothing within a moment is the one
  // that the others wait for.
  [[noreturn]] void name_the_absent() {
    std::vector<bool> here(size_t(size()), false);
    here[size_t(rank())] = true;
    tell_all("w", kWaitsInVain);
    for (const auto begin = Clock::now(); Clock::now() - begin < kMoment;) {
      MPI_Status status;
      if (heard(kWaitsInVain, status)) {
        char word = 0;
        MPI_Recv(&word, 1, MPI_CHAR, status.MPI_SOURCE, kWaitsInVain, words_, MPI_STATUS_IGNORE);
        here[size_t(status.MPI_SOURCE)] = true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::string absent;
    for (int r = 0; r < size(); ++r)
      if (!here[size_t(r)]) absent += (absent.empty() ? "" : ", ") + std::to_string(r);
    // One of those who wait says it, and ends the others.
    if (std::find(here.begin(), here.begin() + rank(), true) != here.begin() + rank())
      std::this_thread::sleep_for(2 * kMoment);
    throw RankLost(text("rank ", rank(), " waited ", timeout_, " seconds for ",
                        absent.empty() ? std::string("the others, who wait too") : "rank " + absent,
                        "; all ranks end now. Look at that process or its machine, then go on with resume=; "
                        "KERN_RANK_TIMEOUT=SECONDS waits longer"));
  }

  double timeout_;
  // One for each kind of call, so that no call of one meets another's on a rank that is further.
  MPI_Comm calls_ = MPI_COMM_NULL, shares_ = MPI_COMM_NULL, sums_ = MPI_COMM_NULL, words_ = MPI_COMM_NULL;
  std::deque<Sum> sending_, gathering_;
};

}  // namespace

MpiSession::MpiSession() {
  if (ranks_by_launcher() <= 1) return;
  int provided = 0;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "starting");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  joined_ = true;
  set_communicator(MpiCommunicator::join());
}

MpiSession::~MpiSession() {
  if (!joined_) return;
  static_cast<MpiCommunicator&>(communicator()).wait_for_all();
  set_communicator(nullptr);
  MPI_Finalize();
}

}  // namespace kern

#else
namespace kern {

MpiSession::MpiSession() {
  const int ranks = ranks_by_launcher();
  check(
      ranks == 1, "started as one of ", ranks,
      " ranks, but this kern was built without MPI: every one of them would do the "
      "whole work. Build it where MPI is found (cmake -DKERN_MPI=ON; on Debian libopenmpi-dev), or start one process");
}
MpiSession::~MpiSession() = default;

}  // namespace kern
#endif
