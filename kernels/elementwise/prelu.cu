// prelu on the GPU: bound by memory, 8 bytes a value forward, 12 backward.
#include "kernels/common/channel_sums.cuh"
#include "kernels/elementwise/prelu.h"

namespace kern::kernels {
namespace {

struct PreluForward {
  PreluSpec g;
  const float *x, *slope;
  float* y;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    Pack<W> v = load<W>(x + row * g.x_pitch() + column);
#pragma unroll
    for (int j = 0; j < W; ++j) v.v[j] = v.v[j] > 0 ? v.v[j] : slope[g.slope_of(column + j)] * v.v[j];
    store(y + row * g.y_pitch() + column, v);
  }
};

// Both gradients in one pass; dx may be null.
template <int W>
struct PreluChannels {
  Pack<W> slope;
  const float *dy, *x;
  float* dx;
  int64_t dy_pitch, x_pitch, dx_pitch;
  struct Values {
    Pack<W> dy, x;
  };
  __device__ Values read(int64_t row) const { return {load<W>(dy + row * dy_pitch), load<W>(x + row * x_pitch)}; }
  __device__ void write(int64_t row, const Values& v) const {
    Pack<W> out;
#pragma unroll
    for (int j = 0; j < W; ++j) out.v[j] = v.x.v[j] > 0 ? v.dy.v[j] : slope.v[j] * v.dy.v[j];
    store(dx + row * dx_pitch, out);
  }
  __device__ void add(int64_t row, const Values& v, float (&few)[1][W]) const {
    if (dx) write(row, v);
#pragma unroll
    for (int j = 0; j < W; ++j)
      if (!(v.x.v[j] > 0)) few[0][j] = fmaf(v.x.v[j], v.dy.v[j], few[0][j]);
  }
};
struct PreluBackward {
  static constexpr int kTerms = 1;
  PreluSpec g;
  const float *dy, *x, *slope;
  float* dx;
  template <int W>
  __device__ PreluChannels<W> of(int64_t, int64_t column) const {
    PreluChannels<W> c{{},           dy + column, x + column,  dx ? dx + column : nullptr,
                       g.dy_pitch(), g.x_pitch(), g.dx_pitch()};
#pragma unroll
    for (int j = 0; j < W; ++j) c.slope.v[j] = slope[g.slope_of(column + j)];
    return c;
  }
};

ChannelGrid grid_of(const PreluSpec& g) { return {1, g.rows, g.c}; }

}  // namespace

Implementation<Prelu> Prelu::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const PreluSpec& g) { return grid_of(g).sums_bytes(1); },
          .forward =
              [](const Exec& exec, const Spec& g, const Forward<float>& a) {
                for_each_value("prelu forward", exec, g.rows, g.c, {{a.x, g.x_pitch()}, {a.y, g.y_pitch()}},
                               PreluForward{g, a.x, a.slope, a.y}, g.slopes == 1);
              },
          .backward =
              [](const Exec& exec, const Spec& g, const Backward<float>& a) {
                const ChannelGrid grid = grid_of(g);
                const std::initializer_list<RowsOf> arrays = {
                    {a.dy, g.dy_pitch()}, {a.x, g.x_pitch()}, {a.dx, g.dx_pitch()}};
                const PreluBackward f{g, a.dy, a.x, a.slope, a.dx};
                if (!a.dslope) {
                  if (a.dx) channel_walk("prelu backward", exec, grid, arrays, f);
                  return;
                }
                double* sums = static_cast<double*>(exec.scratch);
                channel_sums("prelu backward", exec, grid, arrays, f, sums);
                channel_totals<1>("prelu slope gradient", exec, grid, sums, {{a.dslope}}, g.slopes);
              }};
}

}  // namespace kern::kernels
