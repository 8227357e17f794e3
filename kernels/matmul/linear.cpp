#include "kernels/matmul/linear.h"

#include <limits>

#include "kernels/common/channels.h"
#include "kernels/conv/conv2d.h"

namespace kern::kernels {
namespace {

// All three directions are out[i,j] = start[j] + sum_l a(i,l) b[l,j] with rows of b contiguous: a tile of 4 x 8 results
// stays in registers while l runs. Sums over l are cut into blocks of 256, each summed on its own: long sums lose
// little, and the part of b that a block reads stays in a cache.
constexpr int64_t kSmallestWeights = 1024;  // of a case for the SIMD products
constexpr int64_t kTileRows = 4, kTileColumns = 8, kDepth = 256;

struct Product {
  int64_t rows, columns, depth;
  const float* a;
  int64_t a_row, a_depth;  // a(i,l) = a[i * a_row + l * a_depth]
  const float* b;
  int64_t b_pitch;
  const float* start;  // may be null
  float* out;
  int64_t out_pitch;
};

// out[i0 .. i0+3, j0 .. j0+7] += the sum over l in [begin, end)
void full_tile(const Product& p, int64_t i0, int64_t j0, int64_t begin, int64_t end) {
  float sum[kTileRows][kTileColumns] = {};
  const float* a = p.a + i0 * p.a_row;
  for (int64_t l = begin; l < end; ++l) {
    const float* b = p.b + l * p.b_pitch + j0;
    for (int64_t i = 0; i < kTileRows; ++i) {
      const float f = a[i * p.a_row + l * p.a_depth];
      for (int64_t j = 0; j < kTileColumns; ++j) sum[i][j] += f * b[j];
    }
  }
  for (int64_t i = 0; i < kTileRows; ++i)
    for (int64_t j = 0; j < kTileColumns; ++j) p.out[(i0 + i) * p.out_pitch + j0 + j] += sum[i][j];
}
// The same at the edges, for fewer rows or columns.
void edge_tile(const Product& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1, int64_t begin, int64_t end) {
  for (int64_t i = i0; i < i1; ++i) {
    float sum[kTileColumns] = {};
    for (int64_t l = begin; l < end; ++l) {
      const float f = p.a[i * p.a_row + l * p.a_depth];
      const float* b = p.b + l * p.b_pitch;
      for (int64_t j = j0; j < j1; ++j) sum[j - j0] += f * b[j];
    }
    for (int64_t j = j0; j < j1; ++j) p.out[i * p.out_pitch + j] += sum[j - j0];
  }
}

// Parallel over blocks of 32 x 64 results.
void multiply(const Product& p) {
  constexpr int64_t kRows = 32, kColumns = 64;
  const int64_t across = ceil_div(p.columns, kColumns), blocks = ceil_div(p.rows, kRows) * across;
  parallel_for(blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t i0 = block / across * kRows, j0 = block % across * kColumns;
      const int64_t i1 = std::min(p.rows, i0 + kRows), j1 = std::min(p.columns, j0 + kColumns);
      for (int64_t i = i0; i < i1; ++i)
        for (int64_t j = j0; j < j1; ++j) p.out[i * p.out_pitch + j] = p.start ? p.start[j] : 0.0f;
      for (int64_t l = 0; l < p.depth; l += kDepth)
        for (int64_t j = j0; j < j1; j += kTileColumns)
          for (int64_t i = i0; i < i1; i += kTileRows) {
            const int64_t end = std::min(p.depth, l + kDepth);
            if (i + kTileRows <= i1 && j + kTileColumns <= j1) full_tile(p, i, j, l, end);
            else edge_tile(p, i, std::min(i1, i + kTileRows), j, std::min(j1, j + kTileColumns), l, end);
          }
    }
  });
}

void linear_forward_cpu(const Exec& exec, const LinearSpec& g, const float* x, const float* w, const float* b,
                        float* y) {
  float* turned = static_cast<float*>(exec.scratch);  // w as [C,K]
  for (int64_t k = 0; k < g.k; ++k)
    for (int64_t c = 0; c < g.c; ++c) turned[c * g.k + k] = w[k * g.c + c];
  multiply({.rows = g.rows,
            .columns = g.k,
            .depth = g.c,
            .a = x,
            .a_row = g.x_pitch(),
            .a_depth = 1,
            .b = turned,
            .b_pitch = g.k,
            .start = b,
            .out = y,
            .out_pitch = g.y_pitch()});
}
void linear_backward_data_cpu(const Exec&, const LinearSpec& g, const float* dy, const float* w, float* dx) {
  multiply({.rows = g.rows,
            .columns = g.c,
            .depth = g.k,
            .a = dy,
            .a_row = g.dy_pitch(),
            .a_depth = 1,
            .b = w,
            .b_pitch = g.c,
            .start = nullptr,
            .out = dx,
            .out_pitch = g.dx_pitch()});
}
void linear_backward_weight_cpu(const Exec&, const LinearSpec& g, const float* dy, const float* x, float* dw) {
  multiply({.rows = g.k,
            .columns = g.c,
            .depth = g.rows,
            .a = dy,
            .a_row = 1,
            .a_depth = g.dy_pitch(),
            .b = x,
            .b_pitch = g.x_pitch(),
            .start = nullptr,
            .out = dw,
            .out_pitch = g.c});
}
GroupChunks dy_chunks(const LinearSpec& g) { return {.groups = 1, .rows = g.rows, .c = g.k}; }
void linear_backward_bias_cpu(const Exec& exec, const LinearSpec& g, const float* dy, float* db) {
  const int64_t pitch = g.dy_pitch();
  double* sums = static_cast<double*>(exec.scratch);
  group_sums<1>(dy_chunks(g), pitch == g.k, sums, [&](const Tile& t, int64_t) {
    return [=](int64_t row, int64_t count, LaneArray(&sum)[1]) {
      const float* from = dy + row * pitch + t.column;
      for (int64_t l = 0; l < count; ++l) sum[0][l] += from[l];
    };
  });
  for (int64_t k = 0; k < g.k; ++k) db[k] = float(sums[k]);
}

// linear is a 1x1 convolution of one image of one row: on the CPU conv2d's SIMD implementations serve small cases, and CUDA's
// kernels are conv2d's.
Conv2dSpec as_conv(const LinearSpec& g) {
  return {.c = int(g.c),
          .w = int(g.rows),
          .k = int(g.k),
          .pitch = {.x = g.x_pitch(), .y = g.y_pitch(), .dx = g.dx_pitch(), .dy = g.dy_pitch()}};
}
bool fits_conv(const LinearSpec& g) {
  constexpr int64_t most = std::numeric_limits<int>::max();
  return g.rows <= most && g.c <= most && g.k <= most;
}
template <Device device>
const Conv2dImpl& conv_impl(const LinearSpec& g) {
  check(fits_conv(g), "linear: ", g.rows, " rows of ", g.c, " values to ", g.k,
        " are more than kernels count: give it fewer rows at a time");
  return select(conv2d_registry(), device, as_conv(g));
}
template <Device device>
constexpr LinearImpl by_conv(const char* name, bool (*supports)(const LinearSpec&)) {
  return {.name = name,
          .device = device,
          .supports = supports,
          .workspace = [](const LinearSpec& g) { return conv_impl<device>(g).workspace(as_conv(g)); },
          .forward = [](const Exec& exec, const LinearSpec& g, const float* x, const float* w, const float* b,
                        float* y) { conv_impl<device>(g).forward(exec, as_conv(g), x, w, b, y); },
          .backward_data = [](const Exec& exec, const LinearSpec& g, const float* dy, const float* w,
                              float* dx) { conv_impl<device>(g).backward_data(exec, as_conv(g), dy, w, dx); },
          .backward_weight = [](const Exec& exec, const LinearSpec& g, const float* dy, const float* x,
                                float* dw) { conv_impl<device>(g).backward_weight(exec, as_conv(g), dy, x, dw); },
          .backward_bias = [](const Exec& exec, const LinearSpec& g, const float* dy,
                              float* db) { conv_impl<device>(g).backward_bias(exec, as_conv(g), dy, db); }};
}

// Products that are large enough for an instruction set's own loops. The bias is conv2d's.
template <Isa isa>
LinearImpl simd() {
  constexpr LinearImpl conv = by_conv<Device::cpu>("", supports_all);
  static const LinearProducts products = linear_products<isa>();
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports =
              [](const LinearSpec& g) {
                return cpu_has(isa) && fits_conv(g) && g.rows > 0 && g.k * g.c >= kSmallestWeights;
              },
          .workspace =
              [](const LinearSpec& g) {
                return std::max(products.workspace(g), by_conv<Device::cpu>("", supports_all).workspace(g));
              },
          .forward = products.forward,
          .backward_data = products.backward_data,
          .backward_weight = products.backward_weight,
          .backward_bias = conv.backward_bias,
          .prepared = products.prepared};
}

constexpr LinearImpl kOthers[] = {
    by_conv<Device::cpu>("conv2d",
                         [](const LinearSpec& g) { return cpu_has(Isa::baseline) && g.rows > 0 && fits_conv(g); }),
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace =
         [](const LinearSpec& g) { return std::max(size_t(g.w_size()) * sizeof(float), dy_chunks(g).bytes(1)); },
     .forward = linear_forward_cpu,
     .backward_data = linear_backward_data_cpu,
     .backward_weight = linear_backward_weight_cpu,
     .backward_bias = linear_backward_bias_cpu},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward = [](const Exec&, const LinearSpec& g, const float* x, const float* w, const float* b,
                   float* y) { linear_forward_reference(g, x, w, b, y); },
     .backward_data = [](const Exec&, const LinearSpec& g, const float* dy, const float* w,
                         float* dx) { linear_backward_data_reference(g, dy, w, dx); },
     .backward_weight = [](const Exec&, const LinearSpec& g, const float* dy, const float* x,
                           float* dw) { linear_backward_weight_reference(g, dy, x, dw); },
     .backward_bias = [](const Exec&, const LinearSpec& g, const float* dy,
                         float* db) { linear_backward_bias_reference(g, dy, db); }},
};

}  // namespace

LinearImpl linear_cuda_impl() { return by_conv<Device::cuda>("cuda", supports_all); }

const Registry<LinearImpl>& linear_registry() {
  static const LinearImpl impls[] = {KERN_CUDA_IMPL(linear_cuda_impl(), linear_cublaslt_impl())
                                         KERN_SIMD_IMPLS(simd),  // "avx512", "avx2", "simd"
                                     kOthers[0], kOthers[1], kOthers[2]};
  static const Registry<LinearImpl> registry{"linear", impls};
  return registry;
}
OpInfo linear_info() { return info_of(linear_registry()); }

}  // namespace kern::kernels
