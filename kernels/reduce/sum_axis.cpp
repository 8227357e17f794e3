#include "kernels/reduce/sum_axis.h"

#include "kernels/common/isa.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

// A long axis of few sums is cut into chunks that threads share; else each thread has sums of its own. By size alone.
constexpr bool cut(const SumAxisSpec& g) { return g.n * g.inner > 2 * 16384 && g.outer < 64; }

template <Isa isa>
void forward(const Exec& exec, const SumAxisSpec& g, const SumAxis::Forward<float>& a) {
  const float* const x = a.x;
  float* const y = a.y;
  if (cut(g)) {
    for (int64_t o = 0; o < g.outer; ++o) {
      const float* const from = x + o * g.n * g.inner;
      if (g.inner == 1) {
        y[o] = float(sum_flat(exec, g.n, [from](int64_t n) { return from[n]; }) * g.scale);
      } else {
        float* const to = y + o * g.inner;
        column_sums(
            exec, g.n, g.inner, to, [from, c = g.inner](int64_t n, int64_t i) { return from[n * c + i]; }, g.scale);
      }
    }
    return;
  }
  const int64_t width = std::min<int64_t>(g.inner, 64), tiles = ceil_div(g.inner, std::max<int64_t>(1, width));
  parallel_for(g.outer * tiles, Chunks(g.outer * tiles, g.n * width).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t o = tile / tiles, i0 = tile % tiles * width, count = std::min(width, g.inner - i0);
        const float* const from = x + o * g.n * g.inner + i0;
        float* const to = y + o * g.inner + i0;
        if (g.inner == 1) {
          *to = float(lane_sum(g.n, [from](int64_t n) { return from[n]; }) * g.scale);
          continue;
        }
        double sum[64] = {};
        for (int64_t n = 0; n < g.n; ++n)
          for (int64_t i = 0; i < count; ++i) sum[i] += double(from[n * g.inner + i]);
        for (int64_t i = 0; i < count; ++i) to[i] = float(sum[i] * g.scale);
      }
    });
  });
}
template <Isa isa>
void backward(const Exec&, const SumAxisSpec& g, const SumAxis::Backward<float>& a) {
  const float* const dy = a.dy;
  float* const dx = a.dx;
  const float scale = float(g.scale);
  const int64_t inner = g.inner;
  parallel_for(g.outer * g.n, Chunks(g.outer * g.n, inner).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      if (inner == 1) {
        for (int64_t row = begin; row < end;) {
          const int64_t o = row / g.n, stop = std::min(end, (o + 1) * g.n);
          const float v = dy[o] * scale;
          for (; row < stop; ++row) dx[row] = v;
        }
        return;
      }
      for (int64_t row = begin; row < end; ++row) {
        const float* const from = dy + row / g.n * inner;
        float* const to = dx + row * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] = from[i] * scale;
      }
    });
  });
}
template <Isa isa>
constexpr Implementation<SumAxis> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace =
              [](const SumAxisSpec& g) {
                return cut(g) ? std::max(sum_flat_workspace(g.n), column_sums_workspace(g.n, g.inner)) : size_t{0};
              },
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<SumAxis>>& SumAxis::registry() {
  static const Implementation<SumAxis> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                  reference_implementation<SumAxis>()};
  static const Registry<Implementation<SumAxis>> registry{kName, impls};
  return registry;
}
OpInfo sum_axis_info() { return info_of(SumAxis::registry()); }

}  // namespace kern::kernels
