// conv2d's three directions as plans of cuDNN, for the rows "cudnn" of conv2d and conv_transpose2d.
#pragma once
#include "kernels/common/nvidia/cudnn.h"
#include "kernels/conv2d.h"

namespace kern::kernels {

enum class ConvDirection { forward, backward_data, backward_weight };
inline std::string_view to_string(ConvDirection d) {
  constexpr std::string_view names[] = {"forward", "backward_data", "backward_weight"};
  return names[int(d)];
}

// A direction reads and writes x, w and y, or the gradients that stand in their places: x [N,H,W,C] with the pitch x
// (dx in backward_data), y [N,P,Q,K] with the pitch y (dy in the backward directions). Pointers are aligned to
// kCudnnAlignment bytes.
constexpr int64_t kCudnnAlignment = 16;

// A plan by an engine that repeats its results to the bit. Error, saying what was tried, where there is none.
CudnnPlan conv2d_cudnn_plan(const CudnnApi&, const CudnnTarget&, const Conv2dSpec&, ConvDirection, bool tf32);

// The same for the card of this process, made once for each case; null where there is none.
const CudnnPlan* conv2d_cudnn_plan(const Conv2dSpec&, ConvDirection);
size_t conv2d_cudnn_workspace(const Conv2dSpec&, ConvDirection);  // bytes, of a case that has a plan
// Does it in the workspace at exec.scratch. False, and nothing done, where there is no plan, or a pointer's alignment
// forbids it.
bool conv2d_cudnn_run(const Exec&, const Conv2dSpec&, ConvDirection, const float* x, const float* w, const float* y);

// y[i,k] += b[k] for y [rows, K]: conv2d_cuda_bias.cu.
void add_bias_cuda(const Exec&, int64_t rows, int k, int64_t pitch, const float* b, float* y);

}  // namespace kern::kernels
