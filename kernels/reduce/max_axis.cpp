#include "kernels/reduce/max_axis.h"

#include "kernels/common/isa.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

template <Isa isa>
void forward(const Exec&, const MaxAxisSpec& g, const float* x, float* y, int32_t* index) {
  constexpr int64_t kWidth = 256;  // of a row at a time: what is best so far stays in the cache
  const int64_t width = std::min<int64_t>(g.inner, kWidth), tiles = ceil_div(g.inner, std::max<int64_t>(1, width));
  parallel_for(g.outer * tiles, Chunks(g.outer * tiles, g.n * width).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t o = tile / tiles, i0 = tile % tiles * width, count = std::min(width, g.inner - i0);
        const float* const from = x + o * g.n * g.inner + i0;
        float* const best = y + o * g.inner + i0;
        int32_t* const at = index + o * g.inner + i0;
        for (int64_t i = 0; i < count; ++i) best[i] = from[i], at[i] = 0;
        for (int64_t n = 1; n < g.n; ++n) {
          const float* const row = from + n * g.inner;
          for (int64_t i = 0; i < count; ++i) {
            const bool better = takes_over(row[i], best[i], g.smallest);
            best[i] = better ? row[i] : best[i];
            at[i] = better ? int32_t(n) : at[i];
          }
        }
      }
    });
  });
}
template <Isa isa>
void backward(const Exec&, const MaxAxisSpec& g, const float* dy, const int32_t* index, float* dx) {
  const int64_t inner = g.inner;
  parallel_for(g.outer * g.n, Chunks(g.outer * g.n, inner).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t o = row / g.n;
        const int32_t n = int32_t(row - o * g.n);
        const float* const from = dy + o * inner;
        const int32_t* const at = index + o * inner;
        float* const to = dx + row * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] = at[i] == n ? from[i] : 0.0f;
      }
    });
  });
}
template <Isa isa>
constexpr MaxAxisImpl simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .forward = forward<isa>,
          .backward = backward<isa>};
}
constexpr MaxAxisImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const MaxAxisSpec& g, const float* x, float* y,
                  int32_t* index) { max_axis_forward_reference(g, x, y, index); },
    .backward = [](const Exec&, const MaxAxisSpec& g, const float* dy, const int32_t* index,
                   float* dx) { max_axis_backward_reference(g, dy, index, dx); }};

}  // namespace

const Registry<MaxAxisImpl>& max_axis_registry() {
  static const MaxAxisImpl impls[] = {KERN_CUDA_IMPL(max_axis_cuda_impl()) KERN_SIMD_IMPLS(simd), kReference};
  static const Registry<MaxAxisImpl> registry{"max_axis", impls};
  return registry;
}
OpInfo max_axis_info() { return info_of(max_axis_registry()); }

}  // namespace kern::kernels
