#include "kernels/norm/group_norm.h"

namespace kern::kernels {
namespace {

constexpr GroupNormRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward =
        [](const Exec&, const GroupNormSpec& g, const float* x, const float* weight, const float* bias, float* y,
           float* mean,
           float* inverse_deviation) { group_norm_forward_reference(g, x, weight, bias, y, mean, inverse_deviation); },
    .backward =
        [](const Exec&, const GroupNormSpec& g, const float* dy, const float* x, const float* weight, const float* mean,
           const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
          group_norm_backward_reference(g, dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
        }};

}  // namespace

const Table<GroupNormRow>& group_norm_table() {
  static const GroupNormRow rows[] = {
      KERN_CUDA_ROW(group_norm_cuda_row()) KERN_SIMD_ROWS(group_norm_simd_row),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Table<GroupNormRow> table{"group_norm", rows};
  return table;
}
OpInfo group_norm_info() { return info_of(group_norm_table()); }

}  // namespace kern::kernels
