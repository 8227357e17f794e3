// The last sums of parameters' gradients, of a whole backward pass, done together.
//
// A kernel that takes gradients in chunks leaves partial sums in scratch; a second, small one adds them. In a pass
// over a network of many small layers these second kernels take longer to start than to run. So where the caller keeps
// the scratch (engine/late_gradients.h) they are only noted here, and one kernel does them all: the same sums in the
// same order, the same bits.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/common/device.h"

namespace kern::kernels {

// out[i] = the sum over chunks of parts[chunk][i], in double, for i < n; without a chunk 0.
struct ChunkSums {
  int64_t n = 0;
  int chunks = 0;
  bool of_doubles = false;  // parts; else of floats
  const void* parts = nullptr;
  float* out = nullptr;
};

// The gradients of a norm's weight, bias and slopes (each may be null) from sums [part][term][C] of g, g (x - m) and,
// with three terms, the slopes' part; `parts_of_group` of them have a mean and inverse deviation [groups, C / width].
struct NormParameterSums {
  const float* inverse = nullptr;
  const double* sums = nullptr;
  float *weight = nullptr, *bias = nullptr, *slope = nullptr;
  int c = 1, parts = 0, parts_of_group = 1, width = 1, terms = 2, slopes = 1;
};

struct LateSums {
  std::vector<ChunkSums> chunks;
  std::vector<NormParameterSums> norms;
};
// Where kernels started by this thread note such sums; null: they are to be done at once.
LateSums* late_sums();
LateSums* set_late_sums(LateSums* sums);  // returns what it was

// On a GPU: as few kernels as hold them, none for none.
void finish_chunk_sums(const Exec&, const std::vector<ChunkSums>&);                   // conv2d_cuda_sums.cu
void finish_norm_parameter_sums(const Exec&, const std::vector<NormParameterSums>&);  // norm_act.cu

}  // namespace kern::kernels
