#include "kernels/reduce/cumsum.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void forward(const Exec&, const CumsumSpec& g, const float* x, float* y) {
  constexpr int64_t kWidth = 64;
  const int64_t width = std::min<int64_t>(g.inner, kWidth), tiles = ceil_div(g.inner, std::max<int64_t>(1, width));
  parallel_for(g.outer * tiles, Chunks(g.outer * tiles, g.n * width).grain, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t i0 = tile % tiles * width, count = std::min(width, g.inner - i0);
      const int64_t first = tile / tiles * g.n * g.inner + i0;
      double sum[kWidth] = {};
      for (int64_t k = 0; k < g.n; ++k) {
        const int64_t at = first + (g.reverse ? g.n - 1 - k : k) * g.inner;
        for (int64_t i = 0; i < count; ++i) y[at + i] = float(sum[i] += double(x[at + i]));
      }
    }
  });
}

constexpr CumsumImpl kCpu = {.name = "cpu", .device = Device::cpu, .supports = supports_all, .forward = forward};
constexpr CumsumImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const CumsumSpec& g, const float* x, float* y) { cumsum_reference(g, x, y); }};

}  // namespace

const Registry<CumsumImpl>& cumsum_registry() {
  static const CumsumImpl impls[] = {KERN_CUDA_IMPL(cumsum_cuda_impl()) kCpu, kReference};
  static const Registry<CumsumImpl> registry{"cumsum", impls};
  return registry;
}
OpInfo cumsum_info() { return info_of(cumsum_registry()); }

}  // namespace kern::kernels
