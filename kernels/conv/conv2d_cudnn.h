// conv2d's three directions as plans of cuDNN, for the rows "cudnn" of conv2d and conv_transpose2d.
#pragma once
#include "kernels/common/nvidia/cudnn.h"
#include "kernels/common/precision.h"
#include "kernels/conv/conv2d.h"

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

// A plan by an engine that repeats its results to the bit: of floats, in tf32 where tensor cores may round them, or
// with x and y kept as bf16, and w too, for cuDNN has no other. Error, saying what was tried, where there is none.
CudnnPlan conv2d_cudnn_plan(const CudnnApi&, const CudnnTarget&, const Conv2dSpec&, ConvDirection, Precision);

// What follows is for x and y kept as T, float or Bf16; w is float.
//
// The same for the GPU of this process, made once for each case; null where there is none.
template <class T>
const CudnnPlan* conv2d_cudnn_plan(const Conv2dSpec&, ConvDirection);
template <class T>
size_t conv2d_cudnn_workspace(const Conv2dSpec&, ConvDirection);  // bytes, of a case that has a plan
// Does it in the workspace at exec.scratch. False, and nothing done, where there is no plan, or a pointer's alignment
// forbids it.
template <class T>
bool conv2d_cudnn_run(const Exec&, const Conv2dSpec&, ConvDirection, const T* x, const float* w, const T* y);

// y[i,k] += b[k] for y [rows, K]: conv2d_cuda_bias.cu.
template <class T>
void add_bias_cuda(const Exec&, int64_t rows, int k, int64_t pitch, const float* b, T* y);

}  // namespace kern::kernels
