// Sums over the GPUs of several processes by NCCL, in the order of a stream: the host does not wait.
//
//   const NcclApi* nccl = opened_nccl();              // null: none here, nccl_in_words() says why
//   NcclRanks ranks(*nccl, id, rank, size);           // all ranks at once, each on its GPU
//   ranks.sum(values, n, stream);                     // all ranks, in the same order
#pragma once
#include <cstdint>
#include <string>

#include "kernels/common/nvidia/nccl_api.h"
#include "kernels/common/nvidia/shared_library.h"

namespace kern::kernels {

struct NcclApi : nccl::NcclFunctions {
  explicit NcclApi(SharedLibrary opened);
  std::string version() const;  // "2.28.3"; empty where there is no library
  // Throws what a call returned, in the library's words.
  void check_result(nccl::Result, const char* doing) const;
  SharedLibrary library;
};
const NcclApi* opened_nccl();  // opened at the first call; null where there is no library
std::string nccl_in_words();   // "2.28.3 (libnccl.so.2)", or "none: " and why

// The ranks that a unique id joins. Its sums are NCCL's own: their order follows from the number of ranks and how their
// GPUs are connected, so the same ranks on the same machine give the same bits every time, and all ranks get the same.
class NcclRanks {
 public:
  // Returns when all ranks have called it. Errors: NCCL's.
  NcclRanks(const NcclApi&, const nccl::UniqueId&, int rank, int size);
  // Does not wait for the others, who may be gone.
  ~NcclRanks();
  NcclRanks(const NcclRanks&) = delete;
  NcclRanks& operator=(const NcclRanks&) = delete;

  // In place, values of the GPU.
  void sum(float* values, int64_t n, void* stream) const;
  // Throws what has gone wrong in a sum since: a rank or its machine that is gone.
  void check_alive() const;

 private:
  const NcclApi& api_;
  nccl::Communicator ranks_ = nullptr;
};
nccl::UniqueId nccl_unique_id(const NcclApi&);

}  // namespace kern::kernels
