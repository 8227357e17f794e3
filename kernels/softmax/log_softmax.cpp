#include "kernels/softmax/log_softmax.h"

namespace kern::kernels {
namespace {

constexpr LogSoftmaxRow kReference = {.name = "reference",
                                      .device = Device::cpu,
                                      .supports = supports_all,
                                      .forward = [](const Exec&, const SoftmaxSpec& g, const float* x,
                                                    float* y) { log_softmax_forward_reference(g, x, y); },
                                      .backward = [](const Exec&, const SoftmaxSpec& g, const float* dy, const float* y,
                                                     float* dx) { log_softmax_backward_reference(g, dy, y, dx); }};

}  // namespace

const Table<LogSoftmaxRow>& log_softmax_table() {
  static const LogSoftmaxRow rows[] = {
      KERN_CUDA_ROW(log_softmax_cuda_row()) KERN_SIMD_ROWS(log_softmax_simd_row),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Table<LogSoftmaxRow> table{"log_softmax", rows};
  return table;
}
OpInfo log_softmax_info() { return info_of(log_softmax_table()); }

}  // namespace kern::kernels
