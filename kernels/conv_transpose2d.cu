// The CUDA row that takes every transposed convolution: the kernels of conv2d.cu, told where x ends. Where x has the
// shape that conv2d would give it, the row before this one runs conv2d's best row instead.
#include "kernels/conv2d_cuda.cuh"
#include "kernels/conv_transpose2d.h"

namespace kern::kernels {

ConvTranspose2dRow conv_transpose2d_cuda_row() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace =
              [](const ConvTranspose2dSpec& g) {
                return std::max(weight_cuda_bytes(g.as_conv(), g.h, g.w), BiasSums(g.y_rows(), g.k).bytes());
              },
          .forward = [](const Exec& exec, const ConvTranspose2dSpec& g, const float* x, const float* w, const float* b,
                        float* y) { gather_cuda(exec, backward_gather(g.conv_of_forward(), g.h, g.w), x, w, b, y); },
          .backward_data =
              [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy, const float* w, float* dx) {
                gather_cuda(exec, forward_gather(g.conv_of_backward_data(), g.h, g.w), dy, w, nullptr, dx);
              },
          .backward_weight = [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy, const float* x,
                                float* dw) { weight_cuda(exec, g.conv_of_backward_weight(), g.h, g.w, x, dy, dw); },
          .backward_bias = [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy,
                              float* db) { bias_cuda(exec, g.y_rows(), g.k, g.dy_pitch(), dy, db); }};
}

}  // namespace kern::kernels
