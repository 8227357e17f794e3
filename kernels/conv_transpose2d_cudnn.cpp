// The row "cudnn": the convolution whose adjoint this is, as cuDNN does it (conv2d_cudnn.cpp); the rest is ours.
#include <algorithm>

#include "kernels/conv2d_cudnn.h"
#include "kernels/conv_transpose2d.h"

namespace kern::kernels {
namespace {

const ConvTranspose2dRow& ours() {
  static const ConvTranspose2dRow row = conv_transpose2d_cuda_row<float>();
  return row;
}

}  // namespace

ConvTranspose2dRow conv_transpose2d_cudnn_row() {
  return {
      .name = "cudnn",
      .device = Device::cuda,
      .supports =
          [](const ConvTranspose2dSpec& g) {
            return g.is_adjoint() && conv2d_cudnn_plan(g.conv_of_forward(), ConvDirection::backward_data) &&
                   conv2d_cudnn_plan(g.conv_of_backward_data(), ConvDirection::forward) &&
                   conv2d_cudnn_plan(g.conv_of_backward_weight(), ConvDirection::backward_weight);
          },
      .workspace =
          [](const ConvTranspose2dSpec& g) {
            return std::max({ours().workspace(g),
                             conv2d_cudnn_workspace(g.conv_of_forward(), ConvDirection::backward_data),
                             conv2d_cudnn_workspace(g.conv_of_backward_data(), ConvDirection::forward),
                             conv2d_cudnn_workspace(g.conv_of_backward_weight(), ConvDirection::backward_weight)});
          },
      .forward =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const float* x, const float* w, const float* b, float* y) {
            if (!conv2d_cudnn_run(exec, g.conv_of_forward(), ConvDirection::backward_data, y, w, x))
              return ours().forward(exec, g, x, w, b, y);
            if (b) add_bias_cuda(exec, g.y_rows(), g.k, g.y_pitch(), b, y);
          },
      .backward_data =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy, const float* w, float* dx) {
            if (!conv2d_cudnn_run(exec, g.conv_of_backward_data(), ConvDirection::forward, dy, w, dx))
              ours().backward_data(exec, g, dy, w, dx);
          },
      .backward_weight =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy, const float* x, float* dw) {
            if (!conv2d_cudnn_run(exec, g.conv_of_backward_weight(), ConvDirection::backward_weight, dy, dw, x))
              ours().backward_weight(exec, g, dy, x, dw);
          },
      .backward_bias = [](const Exec& exec, const ConvTranspose2dSpec& g, const float* dy,
                          float* db) { ours().backward_bias(exec, g, dy, db); }};
}

}  // namespace kern::kernels
