#include "kernels/shape/gather.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void forward(const Exec&, const GatherSpec& g, const float* x, const int32_t* index, float* y) {
  parallel_for(g.outer * g.m, Chunks(g.outer * g.m, g.inner).grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t o = row / g.m, m = row - o * g.m, at = row * g.inner;
      const float* const from = x + o * g.n * g.inner;
      for (int64_t i = 0; i < g.inner; ++i) {
        const int32_t n = index[g.index_of(at + i, m)];
        y[at + i] = g.inside(n) ? from[n * g.inner + i] : std::numeric_limits<float>::quiet_NaN();
      }
    }
  });
}
// A thread for one o: nobody else writes there.
void backward(const Exec&, const GatherSpec& g, const float* dy, const int32_t* index, float* dx) {
  parallel_for(g.outer, Chunks(g.outer, (g.n + g.m) * g.inner).grain, [&](int64_t begin, int64_t end) {
    std::fill(dx + begin * g.n * g.inner, dx + end * g.n * g.inner, 0.0f);
    for (int64_t o = begin; o < end; ++o) {
      float* const to = dx + o * g.n * g.inner;
      for (int64_t m = 0; m < g.m; ++m)
        for (int64_t i = 0; i < g.inner; ++i) {
          const int64_t at = (o * g.m + m) * g.inner + i;
          const int32_t n = index[g.index_of(at, m)];
          if (g.inside(n)) to[n * g.inner + i] += dy[at];
        }
    }
  });
}

constexpr GatherImpl kCpu = {
    .name = "cpu", .device = Device::cpu, .supports = supports_all, .forward = forward, .backward = backward};
constexpr GatherImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const GatherSpec& g, const float* x, const int32_t* index,
                  float* y) { gather_forward_reference(g, x, index, y); },
    .backward = [](const Exec&, const GatherSpec& g, const float* dy, const int32_t* index,
                   float* dx) { gather_backward_reference(g, dy, index, dx); }};

}  // namespace

const Registry<GatherImpl>& gather_registry() {
  static const GatherImpl impls[] = {KERN_CUDA_IMPL(gather_cuda_impl()) kCpu, kReference};
  static const Registry<GatherImpl> registry{"gather", impls};
  return registry;
}
OpInfo gather_info() { return info_of(gather_registry()); }

}  // namespace kern::kernels
