#include "kernels/conv2d.h"

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

}  // namespace

const Table<Conv2dRow>& conv2d_table() {
  static const Conv2dRow rows[] = {
      KERN_SIMD_ROWS(conv2d_simd_row),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Table<Conv2dRow> table{"conv2d", rows};
  return table;
}
OpInfo conv2d_info() { return info_of(conv2d_table()); }

}  // namespace kern::kernels
