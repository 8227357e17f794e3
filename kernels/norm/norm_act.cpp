#include "kernels/norm/norm_act.h"

namespace kern::kernels {
namespace {

constexpr NormActRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward =
        [](const Exec&, const NormActSpec& g, const float* x, const NormActInputs<float>& in, const float* residual,
           float* y, float* mean,
           float* inverse_deviation) { norm_act_forward_reference(g, x, in, residual, y, mean, inverse_deviation); },
    .apply = [](const Exec&, const NormActSpec& g, const float* x, const NormActInputs<float>& in, const float* mean,
                const float* inverse_deviation, const float* residual,
                float* y) { norm_act_apply_reference(g, x, in, mean, inverse_deviation, residual, y); },
    .backward =
        [](const Exec&, const NormActSpec& g, const float* dy, const float* x, const NormActInputs<float>& in,
           const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias, float* dslope) {
          norm_act_backward_reference(g, dy, x, in, mean, inverse_deviation, dx, dweight, dbias, dslope);
        }};

}  // namespace

template <>
const Table<NormActRow>& norm_act_table<float>() {
  static const NormActRow rows[] = {
      KERN_CUDA_ROW(norm_act_cuda_block_row<float>(), norm_act_cuda_row<float>())
          KERN_SIMD_ROWS(norm_act_simd_row),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Table<NormActRow> table{"norm_act", rows};
  return table;
}
template <>
const Table<NormActRowOf<Bf16>>& norm_act_table<Bf16>() {
  static const std::vector<NormActRowOf<Bf16>> rows{
      KERN_CUDA_ROW(norm_act_cuda_block_row<Bf16>(), norm_act_cuda_row<Bf16>())};
  static const Table<NormActRowOf<Bf16>> table{"norm_act", rows};
  return table;
}
OpInfo norm_act_info() { return info_of(norm_act_table(), norm_act_table<Bf16>()); }

}  // namespace kern::kernels
