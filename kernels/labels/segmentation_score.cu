// segmentation_score on the GPU: a thread for each label, which reads the four places of the grid round it, C values
// each; the grid is small and stays in the cache. Integer atomics give the same counts in any order; blocks count in
// shared memory first where the table is small. The loss is a sum of its own.
#include "kernels/common/sum.cuh"
#include "kernels/labels/segmentation_score.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 256, kMaxCounts = 2048;
constexpr int64_t kMaxBlocks = 1024;

__global__ void __launch_bounds__(kThreads)
    count_kernel(SegmentationScoreSpec g, const float* p, const int32_t* label, int32_t* counts) {
  KERN_SHARED(int[kMaxCounts], own);
  const int64_t K = g.classes(), labels = g.rows * g.columns;
  const bool few = K * K <= kMaxCounts;
  for (int64_t i = threadIdx.x; few && i < K * K; i += kThreads) own[i] = 0;
  __syncthreads();
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < labels; i += int64_t(gridDim.x) * kThreads)
    if (takes_part(label[i], K)) {
      const GridPlace y = grid_place(i / g.columns, g.h, g.rows), x = grid_place(i % g.columns, g.w, g.columns);
      const int64_t pair = label[i] * K + score_class(g, p, y, x);
      if (few) atomicAdd(&own[pair], 1);
      else atomicAdd(&counts[pair], 1);
    }
  __syncthreads();
  for (int64_t i = threadIdx.x; few && i < K * K; i += kThreads)
    if (own[i] > 0) atomicAdd(&counts[i], own[i]);
}

struct LossOf {
  SegmentationScoreSpec g;
  const float* p;
  const int32_t* label;
  __device__ double operator()(int64_t, int64_t i) const {
    if (!takes_part(label[i], g.classes())) return 0;
    const GridPlace y = grid_place(i / g.columns, g.h, g.rows), x = grid_place(i % g.columns, g.w, g.columns);
    const double q = double(score_probability(g, p, y, x, label[i]));
    return -log(q > 1e-30 ? q : 1e-30);
  }
};

}  // namespace

SegmentationScoreImpl segmentation_score_cuda_impl() {
  return {
      .name = "cuda",
      .device = Device::cuda,
      .supports = supports_all,
      .workspace = [](const SegmentationScoreSpec& g) { return device_sum_workspace(g.rows * g.columns); },
      .forward =
          [](const Exec& exec, const SegmentationScoreSpec& g, const float* p, const int32_t* label, int32_t* counts,
             float* loss) {
            const int64_t labels = g.rows * g.columns;
            cuda_check(cudaMemsetAsync(counts, 0, size_t(g.classes() * g.classes()) * sizeof(int32_t), stream_of(exec)),
                       "segmentation_score: clearing the counts");
            const LaunchConfig config{.grid = unsigned(std::clamp<int64_t>(ceil_div(labels, kThreads), 1, kMaxBlocks)),
                                      .block = kThreads,
                                      .stream = stream_of(exec)};
            KERN_LAUNCH(count_kernel, config, g, p, label, counts);
            device_sum("segmentation_score", exec, labels, 1, true, LossOf{g, p, label}, loss);
          }};
}

}  // namespace kern::kernels
