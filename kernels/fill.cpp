#include "kernels/fill.h"

namespace kern::kernels {
namespace {

constexpr FillRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const FillSpec& g, float value, float* y) { fill_forward_reference(g, value, y); }};

}  // namespace

const Table<FillRow>& fill_table() {
  static const FillRow rows[] = {KERN_CUDA_ROW(fill_cuda_row()) kReference};
  static const Table<FillRow> table{"fill", rows};
  return table;
}
OpInfo fill_info() { return info_of(fill_table()); }

}  // namespace kern::kernels
