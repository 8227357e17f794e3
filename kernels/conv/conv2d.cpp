#include "kernels/conv/conv2d.h"

#include <cstdlib>

#include "kernels/conv/conv2d_cuda_wgmma.h"

namespace kern::kernels {
namespace {

constexpr Conv2dImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward = [](const Exec&, const Conv2dSpec& g, const float* x, const float* w, const float* b,
                  float* y) { conv2d_forward_reference(g, x, w, b, y); },
    .backward_data = [](const Exec&, const Conv2dSpec& g, const float* dy, const float* w,
                        float* dx) { conv2d_backward_data_reference(g, dy, w, dx); },
    .backward_weight = [](const Exec&, const Conv2dSpec& g, const float* dy, const float* x,
                          float* dw) { conv2d_backward_weight_reference(g, dy, x, dw); },
    .backward_bias = [](const Exec&, const Conv2dSpec& g, const float* dy,
                        float* db) { conv2d_backward_bias_reference(g, dy, db); }};

bool winograd_of_environment() {
  const char* value = std::getenv("KERN_WINOGRAD");
  const std::string_view word = value ? value : "on";
  check(word == "on" || word == "off", "KERN_WINOGRAD must be 'on' or 'off', got '", word, "'");
  return word == "on";
}
bool& winograd() {
  static bool on = winograd_of_environment();
  return on;
}

}  // namespace

bool winograd_enabled() { return winograd(); }
void set_winograd(bool on) { winograd() = on; }

template <>
const Registry<Conv2dImpl>& conv2d_registry<float>() {
  static const Conv2dImpl impls[] = {
    KERN_CUDA_IMPL(conv2d_cuda_depthwise_impl<float>(), conv2d_cuda_bf16_impl(), conv2d_cuda_tf32_impl(),
                   conv2d_cuda_mma_impl(), conv2d_cuda_impl<float>(), conv2d_cudnn_impl<float>())  //
#if defined(__x86_64__)
    conv2d_winograd_impl<Isa::avx512>(),  // "winograd_avx512"
    conv2d_simd_impl<Isa::avx512>(),      // "avx512"
    conv2d_winograd_impl<Isa::avx2>(),    // "winograd_avx2"
    conv2d_simd_impl<Isa::avx2>(),        // "avx2"
#endif
    conv2d_winograd_impl<Isa::baseline>(),  // "winograd_simd"
    conv2d_simd_impl<Isa::baseline>(),      // "simd"
    kReference,
  };
  static const Registry<Conv2dImpl> registry{"conv2d", impls};
  return registry;
}
template <>
const Registry<Conv2dImplOf<Bf16>>& conv2d_registry<Bf16>() {
  static const std::vector<Conv2dImplOf<Bf16>> impls{
      KERN_CUDA_IMPL(conv2d_cuda_depthwise_impl<Bf16>(), conv2d_cuda_mma_bf16_impl(), conv2d_cuda_impl<Bf16>(),
                     conv2d_cudnn_impl<Bf16>(), conv2d_cuda_wgmma_impl())};
  static const Registry<Conv2dImplOf<Bf16>> registry{"conv2d", impls};
  return registry;
}
OpInfo conv2d_info() { return info_of(conv2d_registry(), conv2d_registry<Bf16>()); }

}  // namespace kern::kernels
