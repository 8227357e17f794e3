#include "kernels/elementwise/prelu.h"

namespace kern::kernels {
namespace {

constexpr PreluRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward = [](const Exec&, const PreluSpec& g, const float* x, const float* slope,
                  float* y) { prelu_forward_reference(g, x, slope, y); },
    .backward = [](const Exec&, const PreluSpec& g, const float* dy, const float* x, const float* slope, float* dx,
                   float* dslope) { prelu_backward_reference(g, dy, x, slope, dx, dslope); }};

}  // namespace

const Table<PreluRow>& prelu_table() {
  static const PreluRow rows[] = {
      KERN_CUDA_ROW(prelu_cuda_row()) KERN_SIMD_ROWS(prelu_simd_row),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Table<PreluRow> table{"prelu", rows};
  return table;
}
OpInfo prelu_info() { return info_of(prelu_table()); }

}  // namespace kern::kernels
