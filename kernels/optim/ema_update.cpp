#include "kernels/optim/ema_update.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr EmaUpdateRow kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .step = [](const Exec&, const EmaUpdateSpec& g, const float* x, float* p) {
      parallel_for(g.n, 16384, [=, a = float(g.decay), b = float(1 - g.decay)](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) p[i] = a * p[i] + b * x[i];
      });
    }};
constexpr EmaUpdateRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .step = [](const Exec&, const EmaUpdateSpec& g, const float* x, float* p) { ema_update_reference(g, x, p); }};

}  // namespace

const Table<EmaUpdateRow>& ema_update_table() {
  static const EmaUpdateRow rows[] = {KERN_CUDA_ROW(ema_update_cuda_row()) kCpu, kReference};
  static const Table<EmaUpdateRow> table{"ema_update", rows};
  return table;
}
OpInfo ema_update_info() { return info_of(ema_update_table()); }

}  // namespace kern::kernels
