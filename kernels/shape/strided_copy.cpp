#include "kernels/shape/strided_copy.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

void forward(const Exec&, const StridedCopySpec& g, const float* x, float* y) {
  const int64_t step = g.x.back();
  parallel_for(g.size(), 16384, [&](int64_t begin, int64_t end) {
    for_each_run(g.sizes, g.strides(), begin, end, [&](int64_t first, int64_t count, const auto& at) {
      const float* const from = x + g.offset + at[0];
      float* const to = y + first;
      if (step == 1) std::copy_n(from, count, to);
      else if (step == 0) std::fill_n(to, count, *from);
      else
        for (int64_t i = 0; i < count; ++i) to[i] = from[i * step];
    });
  });
}

constexpr StridedCopyImpl kCpu = {.name = "cpu", .device = Device::cpu, .supports = supports_all, .forward = forward};
constexpr StridedCopyImpl kReference = {.name = "reference",
                                        .device = Device::cpu,
                                        .supports = supports_all,
                                        .forward = [](const Exec&, const StridedCopySpec& g, const float* x, float* y) {
                                          strided_copy_reference(g, x, y);
                                        }};

}  // namespace

const Registry<StridedCopyImpl>& strided_copy_registry() {
  static const StridedCopyImpl impls[] = {KERN_CUDA_IMPL(strided_copy_cuda_impl()) kCpu, kReference};
  static const Registry<StridedCopyImpl> registry{"strided_copy", impls};
  return registry;
}
OpInfo strided_copy_info() { return info_of(strided_copy_registry()); }

}  // namespace kern::kernels
