// The part of NCCL (nccl.h of 2.9 and later) that Kern uses, in its own words, like cudnn_api.h beside it.
#pragma once
#include <cstddef>

namespace kern::nccl {

using Communicator = struct CommunicatorOfNccl*;

// Made by one rank and given to all of them: where they meet.
struct UniqueId {
  char bytes[128];
};

enum class Result : int { success = 0, invalid_argument = 4, invalid_usage = 5, remote_error = 6, in_progress = 7 };
enum class NcclDataType : int { float32 = 7 };
enum class Reduction : int { sum = 0 };

// One pointer per function, named as in the library without its "nccl".
struct NcclFunctions {
  Result (*GetVersion)(int*) = nullptr;
  const char* (*GetErrorString)(Result) = nullptr;
  Result (*GetUniqueId)(UniqueId*) = nullptr;
  Result (*CommInitRank)(Communicator*, int ranks, UniqueId, int rank) = nullptr;
  Result (*CommAbort)(Communicator) = nullptr;
  Result (*CommGetAsyncError)(Communicator, Result*) = nullptr;
  Result (*AllReduce)(const void* from, void* to, size_t count, NcclDataType, Reduction, Communicator,
                      void* stream) = nullptr;
};

}  // namespace kern::nccl
