#include "kernels/common/nvidia/nccl.h"

#include <utility>

#include "kernels/common/error.h"

namespace kern::kernels {

using namespace nccl;

NcclApi::NcclApi(SharedLibrary opened) : library(std::move(opened)) {
  library.find(GetVersion, "ncclGetVersion");
  library.find(GetErrorString, "ncclGetErrorString");
  library.find(GetUniqueId, "ncclGetUniqueId");
  library.find(CommInitRank, "ncclCommInitRank");
  library.find(CommAbort, "ncclCommAbort");
  library.find(CommGetAsyncError, "ncclCommGetAsyncError");
  library.find(AllReduce, "ncclAllReduce");
}

std::string NcclApi::version() const {
  int v = 0;  // 22803 is 2.28.3
  if (!GetVersion || GetVersion(&v) != Result::success) return "";
  return text(v / 10000, ".", v / 100 % 100, ".", v % 100);
}

void NcclApi::check_result(Result result, const char* doing) const {
  if (result == Result::success) return;
  throw Error(text("NCCL ", version(), ": ", doing, ": ", GetErrorString(result),
                   "; NCCL_DEBUG=INFO has the library say more"));
}

namespace {
const NcclApi& opened() {
  static const NcclApi& api = *new NcclApi(open_cuda_library("KERN_NCCL", {"libnccl.so.2"}));
  return api;
}
}  // namespace

const NcclApi* opened_nccl() { return opened().library ? &opened() : nullptr; }
std::string nccl_in_words() {
  const NcclApi& api = opened();
  return api.library ? text(api.version(), " (", api.library.file(), ")") : "none: " + api.library.why();
}

UniqueId nccl_unique_id(const NcclApi& api) {
  UniqueId id;
  api.check_result(api.GetUniqueId(&id), "ranks find no place to meet");
  return id;
}

NcclRanks::NcclRanks(const NcclApi& api, const UniqueId& id, int rank, int size) : api_(api) {
  api.check_result(api.CommInitRank(&ranks_, size, id, rank), "the ranks' GPUs do not find each other");
}
NcclRanks::~NcclRanks() { api_.CommAbort(ranks_); }

void NcclRanks::sum(float* values, int64_t n, void* stream) const {
  api_.check_result(api_.AllReduce(values, values, size_t(n), NcclDataType::float32, Reduction::sum, ranks_, stream),
                    "a sum over ranks");
}
void NcclRanks::check_alive() const {
  Result since = Result::success;
  api_.check_result(api_.CommGetAsyncError(ranks_, &since), "asking for errors");
  if (since != Result::in_progress) api_.check_result(since, "a sum over ranks");
}

}  // namespace kern::kernels
