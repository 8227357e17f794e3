// The CUDA row that takes every transposed convolution: the kernels of conv2d.cu, told where x ends. Where x has the
// shape that conv2d would give it, the row before this one runs conv2d's best row instead.
#include "kernels/conv2d_cuda.cuh"
#include "kernels/conv_transpose2d.h"

namespace kern::kernels {
namespace {

Conv2dSpec conv_of(const ConvTranspose2dSpec& g, Pitches pitch) {
  Conv2dSpec conv = g.as_conv();
  conv.pitch = pitch;
  return conv;
}

}  // namespace

ConvTranspose2dRow conv_transpose2d_cuda_row() {
  return {
      .name = "cuda",
      .device = Device::cuda,
      .supports = supports_all,
      .workspace =
          [](const ConvTranspose2dSpec& g) {
            return std::max(weight_cuda_bytes(g.as_conv(), g.h, g.w), BiasSums(g.y_rows(), g.k).bytes());
          },
      .forward =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const float* x, const float* w, const float* b, float* y) {
            const Conv2dSpec conv = conv_of(g, {.dx = g.y_pitch(), .dy = g.x_pitch()});
            gather_cuda(exec, backward_gather(conv, g.h, g.w), x, w, b, y);
          },
      .backward_data =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy, const float* w, float* dx) {
            const Conv2dSpec conv = conv_of(g, {.x = g.dy_pitch(), .y = g.dx_pitch()});
            gather_cuda(exec, forward_gather(conv, g.h, g.w), dy, w, nullptr, dx);
          },
      .backward_weight =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy, const float* x, float* dw) {
            weight_cuda(exec, conv_of(g, {.x = g.dy_pitch(), .dy = g.x_pitch()}), g.h, g.w, x, dy, dw);
          },
      .backward_bias = [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy,
                          float* db) { bias_cuda(exec, g.y_rows(), g.k, g.dy_pitch(), dy, db); }};
}

}  // namespace kern::kernels
