// Ranks by MPI (Open MPI, MPICH or another with MPI 3.0), in host memory. A library of its own, kern_mpi, which only the
// program kern links: everything else knows engine/communicator.h alone. Built without MPI (KERN_MPI) it is empty;
// with it, a program links MPI::MPI_C too.
#pragma once

namespace kern {

// Where a launcher started this process as one of several: joins the others and becomes communicator() until the end of
// its scope. A process that no launcher started does not touch MPI. KERN_RANK_TIMEOUT: seconds that a rank waits for
// another before it ends all of them with a sentence (default 600).
// Errors: MPI cannot be started; several ranks, and this was built without MPI.
class MpiSession {
 public:
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;

 private:
  [[maybe_unused]] bool joined_ = false;
};

}  // namespace kern
