#include "kernels/common/column_sums.cuh"
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/binary.cuh"

namespace kern::kernels {
namespace {

struct Addition {
  __device__ static float of(float a, float b) { return a + b; }
};

}  // namespace

template <>
AddImpl add_cuda_impl<float>() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const BinarySpec& g) { return device_column_sums_workspace(g.rows, g.c); },
          .forward = [](const Exec& exec, const BinarySpec& g, const float* a, const float* b,
                        float* y) { binary_forward<Addition>("add forward", exec, g, a, b, y); },
          .backward_vector = [](const Exec& exec, const BinarySpec& g, const float* dy,
                                float* db) { device_column_sums(exec, g.rows, g.c, dy, g.dy_pitch(), db); }};
}

template <>
AddImplOf<Bf16> add_cuda_impl<Bf16>() {
  return {.name = "cuda_bf16",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = no_workspace,
          .forward = [](const Exec& exec, const BinarySpec& g, const Bf16* a, const Bf16* b,
                        Bf16* y) { binary_forward<Addition>("add forward", exec, g, a, b, y); },
          .backward_vector = nullptr};
}

}  // namespace kern::kernels
