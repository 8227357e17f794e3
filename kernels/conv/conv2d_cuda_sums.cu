// Many sums over chunks by one kernel: kernels/common/late_sums.h.
#include <algorithm>

#include "kernels/conv/conv2d_cuda.cuh"

namespace kern::kernels {
namespace {

// They travel as an argument, of which a kernel may have 4 KiB. Blocks first[j] .. first[j + 1] - 1 are sum j's.
constexpr int kMaxSums = 128;
struct ManyChunkSums {
  struct One {
    const void* parts;
    float* out;
    int n, chunks;
  };
  One all[kMaxSums];
  int first[kMaxSums + 1];
  int count;
  uint32_t of_doubles[kMaxSums / 32];
};
static_assert(sizeof(ManyChunkSums) <= 4096);

// 32 results of one sum a block, 8 threads for each.
__global__ void __launch_bounds__(256) finish_chunks_kernel(ManyChunkSums sums) {
  int low = 0, high = sums.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (sums.first[middle] <= int(blockIdx.x)) low = middle;
    else high = middle;
  }
  const ManyChunkSums::One& one = sums.all[low];
  const int block = int(blockIdx.x) - sums.first[low];
  if (sums.of_doubles[low / 32] >> (low % 32) & 1)
    add_chunks_of_block(block, one.n, one.chunks, static_cast<const double*>(one.parts), one.out);
  else add_chunks_of_block(block, one.n, one.chunks, static_cast<const float*>(one.parts), one.out);
}

}  // namespace

void finish_chunk_sums(const Exec& exec, const std::vector<ChunkSums>& sums) {
  for (size_t begin = 0; begin < sums.size(); begin += kMaxSums) {
    ManyChunkSums some{};
    some.count = int(std::min<size_t>(kMaxSums, sums.size() - begin));
    for (int j = 0; j < some.count; ++j) {
      const ChunkSums& one = sums[begin + size_t(j)];
      check(one.n < int64_t{1} << 31, "convolution on CUDA: a filter of ", one.n, " weights; kernels count up to 2^31");
      some.all[j] = {one.parts, one.out, int(one.n), one.chunks};
      some.first[j + 1] = some.first[j] + int(ceil_div(one.n, 32));
      if (one.of_doubles) some.of_doubles[j / 32] |= 1u << (j % 32);
    }
    KERN_LAUNCH(finish_chunks_kernel,
                {.grid = unsigned(some.first[some.count]), .block = dim3(32, 8), .stream = stream_of(exec)}, some);
  }
}

}  // namespace kern::kernels
