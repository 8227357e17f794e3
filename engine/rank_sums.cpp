#include "engine/rank_sums.h"

#include <cstring>
#include <memory>

#include "engine/communicator.h"
#include "engine/dry_run.h"
#include "engine/gpu.h"
#ifdef KERN_CUDA
#include "kernels/common/nvidia/nccl.h"
#endif

namespace kern {
#ifdef KERN_CUDA
namespace {

// For good: the driver may be gone when a program ends.
kernels::NcclRanks*& joined() {
  static kernels::NcclRanks* ranks = nullptr;
  return ranks;
}

kernels::NcclRanks* join() {
  Communicator& all = communicator();
  const kernels::NcclApi* const nccl = kernels::opened_nccl();
  check(nccl, "rank ", all.rank(), ": several ranks on GPUs need NCCL, and there is ", kernels::nccl_in_words(),
        ". Install it, name its file by KERN_NCCL, or use device=cpu");
  require_device(Device::cuda);
  nccl::UniqueId id{};
  if (all.root()) id = kernels::nccl_unique_id(*nccl);
  all.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
  return new kernels::NcclRanks(*nccl, id, all.rank(), all.size());
}

}  // namespace
#endif

void prepare_rank_sums([[maybe_unused]] Device device) {
#ifdef KERN_CUDA
  if (device == Device::cuda && !communicator().alone() && !joined()) joined() = join();
#endif
}

void sum_over_ranks(Tensor& t) {
  if (communicator().alone() || in_dry_run()) return;
  check(t.dense() && t.dtype() == DType::f32, "sum_over_ranks: the tensor must be dense and f32");
  if (t.device() == Device::cpu) return communicator().sum(std::span(t.mutate(), size_t(t.size())));
#ifdef KERN_CUDA
  internal_check(joined() || !recording(), "sum_over_ranks: prepare_rank_sums() comes before a recorded step");
  prepare_rank_sums(t.device());
  joined()->sum(t.mutate(), t.size(), kernels::current_stream());
#endif
}

void check_rank_sums() {
#ifdef KERN_CUDA
  if (joined()) joined()->check_alive();
#endif
}

}  // namespace kern
