#include "kernels/labels/posteriors_in_order.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr PosteriorsInOrderRow kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = [](const PosteriorsInOrderSpec& g) { return g.scratch_size() * sizeof(double); },
    .forward = [](const Exec& exec, const PosteriorsInOrderSpec& g, const float* p, const int32_t* present,
                  float* q) { posteriors_in_order_reference(g, p, present, q, static_cast<double*>(exec.scratch)); }};

constexpr PosteriorsInOrderRow kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = kReference.workspace,
    .forward = [](const Exec& exec, const PosteriorsInOrderSpec& g, const float* p, const int32_t* present, float* q) {
      double* scratch = static_cast<double*>(exec.scratch);
      parallel_for(g.n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) posteriors_of_signal(g, n, p, present, q, scratch);
      });
    }};

}  // namespace

const Table<PosteriorsInOrderRow>& posteriors_in_order_table() {
  static const PosteriorsInOrderRow rows[] = {KERN_CUDA_ROW(posteriors_in_order_cuda_row()) kCpu, kReference};
  static const Table<PosteriorsInOrderRow> table{"posteriors_in_order", rows};
  return table;
}
OpInfo posteriors_in_order_info() { return info_of(posteriors_in_order_table()); }

}  // namespace kern::kernels
