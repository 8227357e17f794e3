// The rows "cudnn" and "cudnn_bf16": the convolution whose adjoint this is, as cuDNN does it (conv2d_cudnn.cpp); the
// rest is ours.
#include <algorithm>

#include "kernels/conv/conv2d_cudnn.h"
#include "kernels/conv/conv_transpose2d.h"

namespace kern::kernels {
namespace {

template <class T>
const ConvTranspose2dImplOf<T>& ours() {
  static const ConvTranspose2dImplOf<T> row = conv_transpose2d_cuda_impl<T>();
  return row;
}

}  // namespace

template <class T>
ConvTranspose2dImplOf<T> conv_transpose2d_cudnn_impl() {
  return {
      .name = std::is_same_v<T, Bf16> ? "cudnn_bf16" : "cudnn",
      .device = Device::cuda,
      .supports =
          [](const ConvTranspose2dSpec& g) {
            return g.is_adjoint() && conv2d_cudnn_plan<T>(g.conv_of_forward(), ConvDirection::backward_data) &&
                   conv2d_cudnn_plan<T>(g.conv_of_backward_data(), ConvDirection::forward) &&
                   conv2d_cudnn_plan<T>(g.conv_of_backward_weight(), ConvDirection::backward_weight);
          },
      .workspace =
          [](const ConvTranspose2dSpec& g) {
            return std::max({ours<T>().workspace(g),
                             conv2d_cudnn_workspace<T>(g.conv_of_forward(), ConvDirection::backward_data),
                             conv2d_cudnn_workspace<T>(g.conv_of_backward_data(), ConvDirection::forward),
                             conv2d_cudnn_workspace<T>(g.conv_of_backward_weight(), ConvDirection::backward_weight)});
          },
      .forward =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const T* x, const float* w, const float* b, T* y) {
            if (!conv2d_cudnn_run(exec, g.conv_of_forward(), ConvDirection::backward_data, y, w, x))
              return ours<T>().forward(exec, g, x, w, b, y);
            if (b) add_bias_cuda(exec, g.y_rows(), g.k, g.y_pitch(), b, y);
          },
      .backward_data =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const T* dy, const float* w, T* dx) {
            if (!conv2d_cudnn_run(exec, g.conv_of_backward_data(), ConvDirection::forward, dy, w, dx))
              ours<T>().backward_data(exec, g, dy, w, dx);
          },
      .backward_weight =
          [](const Exec& exec, const ConvTranspose2dSpec& g, const T* dy, const T* x, float* dw) {
            if (!conv2d_cudnn_run(exec, g.conv_of_backward_weight(), ConvDirection::backward_weight, dy, dw, x))
              ours<T>().backward_weight(exec, g, dy, x, dw);
          },
      .backward_bias = [](const Exec& exec, const ConvTranspose2dSpec& g, const T* dy,
                          float* db) { ours<T>().backward_bias(exec, g, dy, db); }};
}
template ConvTranspose2dImpl conv_transpose2d_cudnn_impl<float>();
template ConvTranspose2dImplOf<Bf16> conv_transpose2d_cudnn_impl<Bf16>();

}  // namespace kern::kernels
