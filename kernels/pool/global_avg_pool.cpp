#include "kernels/pool/global_avg_pool.h"

#include "kernels/common/channels.h"
#include "kernels/common/isa.h"

namespace kern::kernels {
namespace {

GroupChunks chunks_of(const GlobalAvgPoolSpec& g) { return {.groups = g.n, .rows = g.l, .c = g.c}; }

template <Isa isa>
void forward(const Exec& exec, const GlobalAvgPoolSpec& g, const GlobalAvgPool::Forward<float>& a) {
  const GroupChunks chunks = chunks_of(g);
  double* sums = static_cast<double*>(exec.scratch);
  group_sums<1>(
      chunks, g.x_pitch() == g.c, sums,
      [&](const Tile& t, int64_t) {
        return [x = a.x, t, pitch = g.x_pitch()](int64_t row, int64_t count, LaneArray(&sum)[1]) {
          const float* from = x + row * pitch + t.column;
          for (int64_t l = 0; l < count; ++l) sum[0][l] += from[l];
        };
      },
      [](const auto& f) { on_isa<isa>(f); });
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t c = 0; c < g.c; ++c)
      a.y[n * g.y_pitch() + c] = float(sums[n * chunks.group_stride(1) + c] / double(g.l));
}

template <Isa isa>
void backward(const Exec&, const GlobalAvgPoolSpec& g, const GlobalAvgPool::Backward<float>& a) {
  const float scale = 1 / float(g.l);
  chunks_of(g).for_each([&](int64_t n, int64_t, int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      const float* from = a.dy + n * g.dy_pitch();
      for_each_tile(g.c, g.dx_pitch() == g.c, [&](const Tile& t) {
        LaneArray share;
        spread(t, share, [&](int64_t c) { return from[c] * scale; });
        for_each_chunk_of(t, begin, end, [&](int64_t row, int64_t count) {
          std::copy_n(share, count, a.dx + row * g.dx_pitch() + t.column);
        });
      });
    });
  });
}

template <Isa isa>
constexpr Implementation<GlobalAvgPool> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = [](const GlobalAvgPoolSpec& g) { return chunks_of(g).bytes(1); },
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<GlobalAvgPool>>& GlobalAvgPool::registry() {
  static const Implementation<GlobalAvgPool> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                        reference_implementation<GlobalAvgPool>()};
  static const Registry<Implementation<GlobalAvgPool>> registry{kName, impls};
  return registry;
}
OpInfo global_avg_pool_info() { return info_of(GlobalAvgPool::registry()); }

}  // namespace kern::kernels
