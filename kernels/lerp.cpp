#include "kernels/lerp.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr LerpRow kCpu = {.name = "cpu",
                          .device = Device::cpu,
                          .supports = supports_all,
                          .step = [](const Exec&, const LerpSpec& g, const float* x, float* p) {
                            parallel_for(g.n, 16384,
                                         [=, a = float(g.decay), b = float(1 - g.decay)](int64_t begin, int64_t end) {
                                           for (int64_t i = begin; i < end; ++i) p[i] = a * p[i] + b * x[i];
                                         });
                          }};
constexpr LerpRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .step = [](const Exec&, const LerpSpec& g, const float* x, float* p) { lerp_reference(g, x, p); }};

}  // namespace

const Table<LerpRow>& lerp_table() {
  static const LerpRow rows[] = {KERN_CUDA_ROW(lerp_cuda_row()) kCpu, kReference};
  static const Table<LerpRow> table{"lerp", rows};
  return table;
}
OpInfo lerp_info() { return info_of(lerp_table()); }

}  // namespace kern::kernels
