#include "kernels/elementwise/fill.h"

#include <algorithm>

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr FillRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const FillSpec& g, float value, float* y) { fill_forward_reference(g, value, y); }};

constexpr FillRow kCpu = {.name = "cpu",
                          .device = Device::cpu,
                          .supports = supports_all,
                          .forward = [](const Exec&, const FillSpec& g, float value, float* y) {
                            const bool dense = g.y_pitch() == g.c;
                            const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, g.c));
                            parallel_for(g.rows, grain, [=, &g](int64_t begin, int64_t end) {
                              if (dense) std::fill_n(y + begin * g.c, (end - begin) * g.c, value);
                              else
                                for (int64_t i = begin; i < end; ++i) std::fill_n(y + i * g.y_pitch(), g.c, value);
                            });
                          }};

}  // namespace

const Table<FillRow>& fill_table() {
  static const FillRow rows[] = {KERN_CUDA_ROW(fill_cuda_row()) kCpu, kReference};
  static const Table<FillRow> table{"fill", rows};
  return table;
}
OpInfo fill_info() { return info_of(fill_table()); }

}  // namespace kern::kernels
