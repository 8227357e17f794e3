#include "kernels/conv/conv2d.h"

#include <cstdlib>

namespace kern::kernels {
namespace {

constexpr Conv2dRow kReference = {
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
const Table<Conv2dRow>& conv2d_table<float>() {
  static const Conv2dRow rows[] = {
    KERN_CUDA_ROW(conv2d_cuda_depthwise_row<float>(), conv2d_cuda_bf16_row(), conv2d_cuda_tf32_row(),
                  conv2d_cuda_mma_row(), conv2d_cuda_row<float>(), conv2d_cudnn_row<float>())  //
#if defined(__x86_64__)
    conv2d_winograd_row<Isa::avx512>(),  // "winograd_avx512"
    conv2d_simd_row<Isa::avx512>(),      // "avx512"
    conv2d_winograd_row<Isa::avx2>(),    // "winograd_avx2"
    conv2d_simd_row<Isa::avx2>(),        // "avx2"
#endif
    conv2d_winograd_row<Isa::baseline>(),  // "winograd_simd"
    conv2d_simd_row<Isa::baseline>(),      // "simd"
    kReference,
  };
  static const Table<Conv2dRow> table{"conv2d", rows};
  return table;
}
template <>
const Table<Conv2dRowOf<Bf16>>& conv2d_table<Bf16>() {
  static const std::vector<Conv2dRowOf<Bf16>> rows{KERN_CUDA_ROW(conv2d_cuda_depthwise_row<Bf16>(),
                                                                 conv2d_cuda_mma_bf16_row(), conv2d_cuda_row<Bf16>(),
                                                                 conv2d_cudnn_row<Bf16>())};
  static const Table<Conv2dRowOf<Bf16>> table{"conv2d", rows};
  return table;
}
OpInfo conv2d_info() { return info_of(conv2d_table(), conv2d_table<Bf16>()); }

}  // namespace kern::kernels
