// Sums over ranks (engine/communicator.h) of what lies in a tensor, wherever that is.
#pragma once
#include "engine/tensor.h"

namespace kern {

// Before the first sum of values of a GPU, by all ranks: they find each other. Elsewhere, and for one rank, nothing.
// Errors: no NCCL, two ranks on one GPU.
void prepare_rank_sums(Device device);

// In place, a dense f32 tensor of any shape, the same on all ranks. The host's memory by communicator(), which waits; a
// GPU's by NCCL, in the order of its stream and as a part of a recorded step (prepare_rank_sums before that).
void sum_over_ranks(Tensor& t);

// Throws what has gone wrong on the GPUs of other ranks since.
void check_rank_sums();

}  // namespace kern
