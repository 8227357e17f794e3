#include "kernels/common/column_sums.cuh"
#include "kernels/elementwise/binary.cuh"
#include "kernels/elementwise/mul.h"

namespace kern::kernels {
namespace {

struct Product {
  __device__ static float of(float a, float b) { return a * b; }
};

// Sums of dy a per channel: 8 bytes a value.
template <int W>
struct ProductChannels {
  const float *dy, *a;
  int64_t dy_pitch, a_pitch;
  struct Values {
    Pack<W> dy, a;
  };
  __device__ Values read(int64_t row) const { return {load<W>(dy + row * dy_pitch), load<W>(a + row * a_pitch)}; }
  __device__ void add(int64_t, const Values& v, float (&few)[1][W]) const {
#pragma unroll
    for (int j = 0; j < W; ++j) few[0][j] = fmaf(v.dy.v[j], v.a.v[j], few[0][j]);
  }
};
struct ProductSums {
  static constexpr int kTerms = 1;
  const float *dy, *a;
  int64_t dy_pitch, a_pitch;
  template <int W>
  __device__ ProductChannels<W> of(int64_t, int64_t column) const {
    return {dy + column, a + column, dy_pitch, a_pitch};
  }
};

}  // namespace

MulImpl mul_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const BinarySpec& g) { return device_column_sums_workspace(g.rows, g.c); },
          .forward = [](const Exec& exec, const BinarySpec& g, const float* a, const float* b,
                        float* y) { binary_forward<Product>("mul forward", exec, g, a, b, y); },
          .backward_vector =
              [](const Exec& exec, const BinarySpec& g, const float* dy, const float* a, float* db) {
                const ChannelGrid grid(1, g.rows, g.c);
                double* sums = static_cast<double*>(exec.scratch);
                channel_sums("mul sums", exec, grid, {{dy, g.dy_pitch()}, {a, g.a_pitch()}},
                             ProductSums{dy, a, g.dy_pitch(), g.a_pitch()}, sums);
                channel_totals<1>("mul totals", exec, grid, sums, {{db}}, g.c);
              }};
}

}  // namespace kern::kernels
