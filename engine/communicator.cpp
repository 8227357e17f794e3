#include "engine/communicator.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace kern {
namespace {

// No public constructor: one process is this and nothing else.
struct Alone final : Communicator {
  Alone() = default;
  explicit Alone(const Communicator& among)
      : Communicator({.local_rank = among.local_rank(), .local_size = among.local_size()}) {}
};

std::unique_ptr<Communicator>& current() {
  static std::unique_ptr<Communicator> c;
  return c;
}

}  // namespace

void Communicator::abort(int exit_code) { ::_exit(exit_code); }

Communicator& communicator() {
  static Alone alone;
  return current() ? *current() : alone;
}

std::unique_ptr<Communicator> set_communicator(std::unique_ptr<Communicator> c) {
  std::swap(current(), c);
  return c;
}

void expect_alike(std::string_view what, std::string_view mine) {
  if (communicator().alone()) return;
  const std::vector<std::string> all = communicator().gather(mine);
  for (size_t r = 1; r < all.size(); ++r)
    check(all[r] == all[0], "rank ", int(r), " differs from rank 0 in its ", what, ": ", all[r], ", where rank 0 has ",
          all[0], ". Start all ranks of a task alike");
}

WorkAlone::WorkAlone() : others_(set_communicator(std::make_unique<Alone>(communicator()))) {}
WorkAlone::~WorkAlone() { set_communicator(std::move(others_)); }

int ranks_by_launcher() {
  // srun sets SLURM_NTASKS in every job's shell too; only what it started itself has SLURM_STEP_NUM_TASKS and a PMI.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"})
    if (const char* value = std::getenv(name)) return std::max(1, std::atoi(value));
  if (std::getenv("PMIX_RANK"))
    if (const char* value = std::getenv("SLURM_STEP_NUM_TASKS")) return std::max(1, std::atoi(value));
  return 1;
}

}  // namespace kern
