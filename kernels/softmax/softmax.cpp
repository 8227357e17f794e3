#include "kernels/softmax/softmax.h"

namespace kern::kernels {
namespace {

constexpr SoftmaxRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const SoftmaxSpec& g, const float* x, float* y) { softmax_forward_reference(g, x, y); },
    .backward = [](const Exec&, const SoftmaxSpec& g, const float* dy, const float* y,
                   float* dx) { softmax_backward_reference(g, dy, y, dx); }};

}  // namespace

const Table<SoftmaxRow>& softmax_table() {
  static const SoftmaxRow rows[] = {
      KERN_CUDA_ROW(softmax_cuda_row()) KERN_SIMD_ROWS(softmax_simd_row),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Table<SoftmaxRow> table{"softmax", rows};
  return table;
}
OpInfo softmax_info() { return info_of(softmax_table()); }

}  // namespace kern::kernels
