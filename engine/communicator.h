// The processes that work on one task together ("ranks", as MPI calls them), and what they say to each other through host memory. A program that
// was not started by a launcher (mpirun, srun) is one process: rank 0 of 1, and everything here is a copy or nothing.
//
//   Communicator& all = communicator();
//   const auto [first, last] = all.share(images);            // this rank's part of a list
//   all.sum(std::span(confusion));                           // the same bits on every rank
//   if (all.root()) write(...);
//
// All ranks make the same calls in the same order; a rank that does not arrive is named in the Error that the others
// get. A sum adds the ranks' values in the order of the ranks, whatever library carries them: the same bits for the
// same number of ranks, every time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/common/error.h"

namespace kern {

// A rank did not come where the others wait for it: the sentence names it.
struct RankLost : Error {
  using Error::Error;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  int rank() const { return place_.rank; }
  int size() const { return place_.size; }
  // Among the ranks on the same machine.
  int local_rank() const { return place_.local_rank; }
  int local_size() const { return place_.local_size; }
  bool alone() const { return place_.size == 1; }
  // The one that writes files and talks to the user.
  bool root() const { return place_.rank == 0; }

  // This rank's part [first, last) of n things: contiguous, in the order of ranks, sizes differ by at most one.
  std::pair<int64_t, int64_t> share(int64_t n) const { return share(n, rank()); }
  std::pair<int64_t, int64_t> share(int64_t n, int rank) const {
    return {n * rank / place_.size, n * (rank + 1) / place_.size};
  }

  // In place, over all ranks; n is the same on all of them.
  void sum(std::span<float> values) { sum_of(values); }
  void sum(std::span<double> values) { sum_of(values); }
  void sum(std::span<int64_t> values) { sum_of(values); }
  double sum(double value) { return sum(std::span(&value, 1)), value; }
  int64_t sum(int64_t value) { return sum(std::span(&value, 1)), value; }
  // Whether any rank says so.
  bool any(bool value) { return sum(int64_t(value)) > 0; }

  // A sum that goes on while this rank computes: begins it and returns. The values must be left alone until finish_sums();
  // progress() is cheap and moves things on, called now and then. Several may be under way, in the order of the calls.
  virtual void begin_sum(std::span<float> values) { (void)values; }
  virtual void progress() {}
  virtual void finish_sums() {}

  // The bytes of rank `from`, for all; of equal length everywhere.
  virtual void broadcast(std::span<std::byte> bytes, int from) { (void)bytes, (void)from; }
  // What every rank gave, by rank; lengths may differ.
  virtual std::vector<std::string> gather(std::string_view mine) { return {std::string(mine)}; }
  // Returns when all have come here.
  virtual void barrier() {}
  // Before a rank ends by an error: what every rank says that ends now too, by rank; nothing from those that say nothing
  // within a moment. Not all ranks need to call this.
  virtual std::vector<std::string> last_words(std::string_view mine) { return {std::string(mine)}; }
  // Ends all ranks, at once, with this exit code; for errors that one rank met and others may not have.
  [[noreturn]] virtual void abort(int exit_code);

 protected:
  struct Place {
    int rank = 0, size = 1, local_rank = 0, local_size = 1;
  };
  Communicator() = default;
  explicit Communicator(Place place) : place_(place) {}
  enum class Type { f32, f64, i64 };
  virtual void sum(void* values, size_t n, Type type) { (void)values, (void)n, (void)type; }

 private:
  void sum_of(std::span<float> v) { sum(v.data(), v.size(), Type::f32); }
  void sum_of(std::span<double> v) { sum(v.data(), v.size(), Type::f64); }
  void sum_of(std::span<int64_t> v) { sum(v.data(), v.size(), Type::i64); }
  Place place_;
};

// Of this program; alone unless set_communicator() was called.
Communicator& communicator();
// Once, at the program's beginning (engine/mpi/mpi.h), or in tests. Null: alone again. Returns what it was, null for alone.
std::unique_ptr<Communicator> set_communicator(std::unique_ptr<Communicator> c);

// Throws the same Error on all ranks, if one has another value than rank 0: "rank 1 differs from rank 0 in its " what, and
// both values.
void expect_alike(std::string_view what, std::string_view mine);

// While it lives this rank works by itself: communicator() is one process, which still knows its place among those on the
// machine, so that each has a GPU of its own. For work that a rank does whole, as one training of many.
class WorkAlone {
 public:
  WorkAlone();
  ~WorkAlone();
  WorkAlone(const WorkAlone&) = delete;
  WorkAlone& operator=(const WorkAlone&) = delete;

 private:
  std::unique_ptr<Communicator> others_;
};

// What the launcher that started this process says of it: the number of ranks, 1 where there is no launcher. Read from
// the environment (Open MPI, MPICH, PMIx and Slurm's variables): no library is asked.
int ranks_by_launcher();

}  // namespace kern
