#include "kernels/prelu.h"

#include "kernels/common/channels.h"

namespace kern::kernels {
namespace {

GroupChunks chunks_of(const PreluSpec& g) { return {.groups = 1, .rows = g.rows, .c = g.c}; }

void prelu_forward_cpu(const Exec&, const PreluSpec& g, const float* x, const float* slope, float* y) {
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  chunks_of(g).for_each([&](int64_t, int64_t, int64_t begin, int64_t end) {
    for_each_tile(g.c, xp == g.c && yp == g.c, [&](const Tile& t) {
      LaneArray a;
      spread(t, a, [&](int64_t c) { return slope[g.slope_of(c)]; });
      for_each_stretch_of(t, begin, end, [&](int64_t row, int64_t count) {
        const float* from = x + row * xp + t.column;
        float* to = y + row * yp + t.column;
        for (int64_t l = 0; l < count; ++l) to[l] = from[l] > 0 ? from[l] : a[l] * from[l];
      });
    });
  });
}

// One pass over dy and x gives both gradients; kWantX says whether dx is wanted.
template <bool kWantX>
void prelu_gradients(const Exec& exec, const PreluSpec& g, const float* dy, const float* x, const float* slope,
                     float* dx, float* dslope) {
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = kWantX ? g.dx_pitch() : g.c;
  double* sums = static_cast<double*>(exec.scratch);
  group_sums<1>(chunks_of(g), xp == g.c && dyp == g.c && dxp == g.c, sums, [&](const Tile& t, int64_t) {
    struct Add {
      Tile t;
      const float *dy, *x;
      float* dx;
      int64_t xp, dyp, dxp;
      LaneArray a;
      void operator()(int64_t row, int64_t count, LaneArray (&sum)[1]) const {
        const float *v = x + row * xp + t.column, *d = dy + row * dyp + t.column;
        [[maybe_unused]] float* to = dx + row * dxp + t.column;
        for (int64_t l = 0; l < count; ++l) {
          const float value = v[l], gradient = d[l];
          sum[0][l] += value > 0 ? 0.0f : value * gradient;
          if constexpr (kWantX) to[l] = value > 0 ? gradient : a[l] * gradient;
        }
      }
    };
    Add add{t, dy, x, dx, xp, dyp, dxp, {}};
    spread(t, add.a, [&](int64_t c) { return slope[g.slope_of(c)]; });
    return add;
  });
  if (!dslope) return;
  if (g.slopes == 1) {
    double total = 0;
    for (int64_t c = 0; c < g.c; ++c) total += sums[c];
    dslope[0] = float(total);
  } else {
    for (int64_t c = 0; c < g.c; ++c) dslope[c] = float(sums[c]);
  }
}

constexpr PreluRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = [](const PreluSpec& g) { return chunks_of(g).bytes(1); },
     .forward = prelu_forward_cpu,
     .backward =
         [](const Exec& exec, const PreluSpec& g, const float* dy, const float* x, const float* slope, float* dx,
            float* dslope) {
           if (dx) prelu_gradients<true>(exec, g, dy, x, slope, dx, dslope);
           else if (dslope) prelu_gradients<false>(exec, g, dy, x, slope, dx, dslope);
         }},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward = [](const Exec&, const PreluSpec& g, const float* x, const float* slope,
                   float* y) { prelu_forward_reference(g, x, slope, y); },
     .backward = [](const Exec&, const PreluSpec& g, const float* dy, const float* x, const float* slope, float* dx,
                    float* dslope) { prelu_backward_reference(g, dy, x, slope, dx, dslope); }},
};
constexpr Table<PreluRow> kTable{"prelu", kRows};

}  // namespace

const Table<PreluRow>& prelu_table() { return kTable; }
OpInfo prelu_info() { return info_of(kTable); }

}  // namespace kern::kernels
