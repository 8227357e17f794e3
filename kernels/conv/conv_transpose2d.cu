// The CUDA implementation that takes every transposed convolution: the kernels of conv2d.cu, told where x ends. Where x has the
// shape that conv2d would give it, the row before this one runs conv2d's best row instead.
#include "kernels/conv/conv2d_cuda.cuh"
#include "kernels/conv/conv_transpose2d.h"

namespace kern::kernels {
namespace {

constexpr ConvOutput x_of(const ConvTranspose2dSpec& g) { return {g.d, g.h, g.w}; }

}  // namespace

template <class T>
ConvTranspose2dImplOf<T> conv_transpose2d_cuda_impl() {
  return {.name = std::is_same_v<T, float> ? "cuda" : "cuda_bf16",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace =
              [](const ConvTranspose2dSpec& g) {
                return std::max(weight_cuda_bytes(g.as_conv(), x_of(g)), BiasSums(g.y_rows(), g.k).bytes());
              },
          .forward = [](const Exec& exec, const ConvTranspose2dSpec& g, const T* x, const float* w, const float* b,
                        T* y) { gather_cuda(exec, backward_gather(g.conv_of_forward(), x_of(g)), x, w, b, y); },
          .backward_data =
              [](const Exec& exec, const ConvTranspose2dSpec& g, const T* dy, const float* w, T* dx) {
                gather_cuda(exec, forward_gather(g.conv_of_backward_data(), x_of(g)), dy, w, nullptr, dx);
              },
          .backward_weight = [](const Exec& exec, const ConvTranspose2dSpec& g, const T* dy, const T* x,
                                float* dw) { weight_cuda(exec, g.conv_of_backward_weight(), x_of(g), x, dy, dw); },
          .backward_bias = [](const Exec& exec, const ConvTranspose2dSpec& g, const T* dy,
                              float* db) { bias_cuda(exec, g.y_rows(), g.k, g.dy_pitch(), dy, db); }};
}

template ConvTranspose2dImplOf<float> conv_transpose2d_cuda_impl<float>();
template ConvTranspose2dImplOf<Bf16> conv_transpose2d_cuda_impl<Bf16>();

}  // namespace kern::kernels
