// Kern's own declarations of NCCL against its header, by the compiler, where the header is installed.
#include <gtest/gtest.h>
#include <nccl.h>

#include "kernels/common/nvidia/nccl_api.h"
#include "tests/nvidia/same_call.h"

namespace {

namespace ours = kern::nccl;
using kern::testing::same;
using kern::testing::SameCall;

static_assert(sizeof(ours::UniqueId) == sizeof(ncclUniqueId));
static_assert(same(ours::Result::success, ncclSuccess));
static_assert(same(ours::Result::invalid_argument, ncclInvalidArgument));
static_assert(same(ours::Result::invalid_usage, ncclInvalidUsage));
static_assert(same(ours::Result::remote_error, ncclRemoteError));
static_assert(same(ours::Result::in_progress, ncclInProgress));
static_assert(same(ours::NcclDataType::float32, ncclFloat32));
static_assert(same(ours::Reduction::sum, ncclSum));
static_assert(SameCall<decltype(ours::NcclFunctions::GetVersion), decltype(ncclGetVersion)>::value);
static_assert(SameCall<decltype(ours::NcclFunctions::GetErrorString), decltype(ncclGetErrorString)>::value);
static_assert(SameCall<decltype(ours::NcclFunctions::GetUniqueId), decltype(ncclGetUniqueId)>::value);
static_assert(SameCall<decltype(ours::NcclFunctions::CommInitRank), decltype(ncclCommInitRank)>::value);
static_assert(SameCall<decltype(ours::NcclFunctions::CommAbort), decltype(ncclCommAbort)>::value);
static_assert(SameCall<decltype(ours::NcclFunctions::CommGetAsyncError), decltype(ncclCommGetAsyncError)>::value);
static_assert(SameCall<decltype(ours::NcclFunctions::AllReduce), decltype(ncclAllReduce)>::value);

TEST(NvidiaHeaders, agree_with_our_declarations_of_nccl) {
  RecordProperty("nccl", NCCL_VERSION_CODE);  // of the header; the compiler has compared
}

}  // namespace
