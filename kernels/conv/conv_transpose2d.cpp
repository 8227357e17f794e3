#include "kernels/conv/conv_transpose2d.h"

#include "kernels/common/channels.h"

namespace kern::kernels {
namespace {

template <class T, Device device>
const Conv2dImplOf<T>& best_impl(const Conv2dSpec& conv) {
  return select(conv2d_registry<T>(), device, conv);
}

GroupChunks y_chunks(const ConvTranspose2dSpec& g) { return {.groups = 1, .rows = g.y_rows(), .c = g.k}; }

template <class T, Device device>
void forward_by_conv(const Exec& exec, const ConvTranspose2dSpec& g, const T* x, const float* w, const float* b, T* y) {
  const Conv2dSpec conv = g.conv_of_forward();
  const Conv2dImplOf<T>& best = best_impl<T, device>(conv);
  if (b && best.backward_data_plus) return best.backward_data_plus(exec, conv, x, w, b, y);
  best.backward_data(exec, conv, x, w, y);
  if (!b) return;
  const int64_t pitch = g.y_pitch();
  y_chunks(g).for_each([&](int64_t, int64_t, int64_t begin, int64_t end) {
    for_each_tile(g.k, pitch == g.k, [&](const Tile& t) {
      LaneArray bias;
      spread(t, bias, [&](int64_t k) { return b[k]; });
      for_each_chunk_of(t, begin, end, [&](int64_t row, int64_t count) {
        T* to = y + row * pitch + t.column;
        for (int64_t l = 0; l < count; ++l) to[l] = to[l] + bias[l];
      });
    });
  });
}
template <class T, Device device>
void backward_data_by_conv(const Exec& exec, const ConvTranspose2dSpec& g, const T* dy, const float* w, T* dx) {
  const Conv2dSpec conv = g.conv_of_backward_data();
  best_impl<T, device>(conv).forward(exec, conv, dy, w, nullptr, dx);
}
template <class T, Device device>
void backward_weight_by_conv(const Exec& exec, const ConvTranspose2dSpec& g, const T* dy, const T* x, float* dw) {
  const Conv2dSpec conv = g.conv_of_backward_weight();
  best_impl<T, device>(conv).backward_weight(exec, conv, x, dy, dw);
}
// Sums over y's rows know nothing of filters: they are those of a 1x1 convolution with this y.
Conv2dSpec conv_of_backward_bias(const ConvTranspose2dSpec& g) {
  return {.n = g.n * g.o(), .c = 1, .h = g.p(), .w = g.q(), .k = g.k, .pitch = {.dy = g.dy_pitch()}};
}
template <class T, Device device>
void backward_bias_by_conv(const Exec& exec, const ConvTranspose2dSpec& g, const T* dy, float* db) {
  const Conv2dSpec conv = conv_of_backward_bias(g);
  best_impl<T, device>(conv).backward_bias(exec, conv, dy, db);
}

template <class T, Device device>
size_t workspace_by_conv(const ConvTranspose2dSpec& g) {
  size_t bytes = 0;
  for (const Conv2dSpec& conv :
       {g.conv_of_forward(), g.conv_of_backward_data(), g.conv_of_backward_weight(), conv_of_backward_bias(g)})
    bytes = std::max(bytes, best_impl<T, device>(conv).workspace(conv));
  return bytes;
}

// The forward pass is a convolution's way from y to x, the backward one its way from x to y.
template <class T, Device device>
FilterPacking packing_by_conv(const ConvTranspose2dSpec& g, bool backward_data) {
  const Conv2dSpec conv = backward_data ? g.conv_of_backward_data() : g.conv_of_forward();
  const Conv2dImplOf<T>& best = best_impl<T, device>(conv);
  return best.packing ? best.packing(conv, !backward_data) : FilterPacking{};
}

// Whatever implementation of conv2d is best for the convolution whose adjoint this is.
template <class T, Device device>
constexpr ConvTranspose2dImplOf<T> by_conv(const char* name) {
  return {.name = name,
          .device = device,
          .supports = [](const ConvTranspose2dSpec& g) { return g.is_adjoint(); },
          .workspace = workspace_by_conv<T, device>,
          .forward = forward_by_conv<T, device>,
          .backward_data = backward_data_by_conv<T, device>,
          .backward_weight = backward_weight_by_conv<T, device>,
          .backward_bias = backward_bias_by_conv<T, device>,
          .packing = packing_by_conv<T, device>,
          .by_conv2d = true};
}

constexpr ConvTranspose2dImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward = [](const Exec&, const ConvTranspose2dSpec& g, const float* x, const float* w, const float* b,
                  float* y) { conv_transpose2d_forward_reference(g, x, w, b, y); },
    .backward_data = [](const Exec&, const ConvTranspose2dSpec& g, const float* dy, const float* w,
                        float* dx) { conv_transpose2d_backward_data_reference(g, dy, w, dx); },
    .backward_weight = [](const Exec&, const ConvTranspose2dSpec& g, const float* dy, const float* x,
                          float* dw) { conv_transpose2d_backward_weight_reference(g, dy, x, dw); },
    .backward_bias = [](const Exec&, const ConvTranspose2dSpec& g, const float* dy,
                        float* db) { conv_transpose2d_backward_bias_reference(g, dy, db); }};

}  // namespace

template <>
const Registry<ConvTranspose2dImpl>& conv_transpose2d_registry<float>() {
  static const ConvTranspose2dImpl impls[] = {
      KERN_CUDA_IMPL(by_conv<float, Device::cuda>("cuda_conv2d"), conv_transpose2d_cuda_impl<float>(),
                     conv_transpose2d_cudnn_impl<float>())  //
      by_conv<float, Device::cpu>("cpu"),
      kReference,
  };
  static const Registry<ConvTranspose2dImpl> registry{"conv_transpose2d", impls};
  return registry;
}
template <>
const Registry<ConvTranspose2dImplOf<Bf16>>& conv_transpose2d_registry<Bf16>() {
  static const std::vector<ConvTranspose2dImplOf<Bf16>> impls{
      KERN_CUDA_IMPL(by_conv<Bf16, Device::cuda>("cuda_conv2d_bf16"), conv_transpose2d_cuda_impl<Bf16>(),
                     conv_transpose2d_cudnn_impl<Bf16>())};
  static const Registry<ConvTranspose2dImplOf<Bf16>> registry{"conv_transpose2d", impls};
  return registry;
}
OpInfo conv_transpose2d_info() { return info_of(conv_transpose2d_registry(), conv_transpose2d_registry<Bf16>()); }

}  // namespace kern::kernels
