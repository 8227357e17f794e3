#include "kernels/loss/ssim.h"

#include "kernels/common/isa.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

// Rows of places are dealt out in at most kBands bands, each with line buffers of its own. Scratch: the bands' sums,
// their lines, and maps of the places in float: three for backward, for forward one.
constexpr int64_t kBands = 64;
constexpr int kMoments = 4, kMaps = 3;
int64_t lines_per_band(const SsimSpec& g) { return std::max<int64_t>(1, ceil_div(g.n * g.h, kBands)); }
int64_t padded_line(const SsimSpec& g) {
  return (g.w + kSsimWindow - 1) * g.c;
}  // of a map, the windows' reach on both sides
int64_t line_size(const SsimSpec& g) { return std::max(kMoments * g.w * g.c, kMaps * padded_line(g)); }

struct Scratch {
  double *sums, *lines;
  float* maps;
  Scratch(const Exec& exec, const SsimSpec& g)
      : sums(static_cast<double*>(exec.scratch)),
        lines(sums + kBands),
        maps(reinterpret_cast<float*>(lines + kBands * line_size(g))) {}
};
size_t workspace(const SsimSpec& g) {
  return size_t(kBands * (1 + line_size(g))) * sizeof(double) + size_t(kMaps * g.places()) * sizeof(float);
}

// The four moments down the columns of the windows of row p, [moment][W C].
KERN_INLINE void column_moments(const SsimSpec& g, const SsimWeights& weights, const float* x, const float* y,
                                int64_t n, int64_t p, double* line) {
  const int64_t width = g.w * g.c, xp = g.x_pitch(), yp = g.y_pitch();
  double *mx = line, *my = line + width, *e = line + 2 * width, *xy = line + 3 * width;
  std::fill_n(line, kMoments * width, 0.0);
  const bool dense = xp == g.c && yp == g.c;
  const int64_t count = dense ? width : g.c, step = dense ? g.w : 1;
  for (int r = 0; r < kSsimWindow; ++r) {
    const double w = weights.w[r];
    for (int64_t column = 0; column < g.w; column += step) {
      const int64_t pixel = (n * g.h + p + r) * g.w + column, at = column * g.c;
      const float *a = x + pixel * xp, *b = y + pixel * yp;
      for (int64_t i = 0; i < count; ++i) {
        const double u = double(a[i]), v = double(b[i]);
        mx[at + i] += w * u;
        my[at + i] += w * v;
        e[at + i] += w * (u * u + v * v);
        xy[at + i] += w * (u * v);
      }
    }
  }
}

// f(i, place) for the places i = 0 .. Q C - 1 of row p.
template <class F>
KERN_INLINE void for_each_place(const SsimSpec& g, const SsimWeights& weights, const float* x, const float* y,
                                int64_t n, int64_t p, double* line, F&& f) {
  column_moments(g, weights, x, y, n, p, line);
  const int64_t width = g.w * g.c, count = g.q() * g.c, c = g.c;
  const double c1 = g.c1(), c2 = g.c2();
  SsimWeights w = weights;
  for (int64_t i = 0; i < count; ++i) {
    double m[kMoments] = {};
    for (int s = 0; s < kSsimWindow; ++s)
      for (int k = 0; k < kMoments; ++k) m[k] += w.w[s] * line[k * width + i + s * c];
    f(i, ssim_place(m[0], m[1], m[2], m[3], c1, c2));
  }
}

template <Isa isa>
void forward(const Exec& exec, const SsimSpec& g, const Ssim::Forward<float>& a) {
  const Scratch scratch(exec, g);
  const SsimWeights weights;
  const int64_t rows = g.n * g.p(), grain = lines_per_band(g), count = g.q() * g.c;
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      double sum = 0, *line = scratch.lines + begin / grain * line_size(g);
      for (int64_t i = begin; i < end; ++i) {
        float* values = scratch.maps + i * count;
        for_each_place(g, weights, a.x, a.y, i / g.p(), i % g.p(), line,
                       [=](int64_t j, const SsimPlace<double>& place) { values[j] = float(place.s); });
        sum += lane_sum(count, [=](int64_t j) { return values[j]; });
      }
      scratch.sums[begin / grain] = sum;
    });
  });
  double sum = 0;
  for (int64_t k = 0; k < ceil_div(rows, grain); ++k) sum += scratch.sums[k];
  *a.loss = float(1 - sum / double(g.places()));
}

// Row h of dx from the maps: a pass down the columns of the windows that meet it, then one along the row.
KERN_INLINE void gradient_row(const SsimSpec& g, const SsimWeights& weights, const float* maps, double scale,
                              const float* x, const float* y, int64_t n, int64_t h, double* line, float* dx) {
  const int64_t width = g.q() * g.c, margin = (kSsimWindow - 1) * g.c, padded = padded_line(g);
  for (int m = 0; m < kMaps; ++m) {
    const float* map = maps + m * g.places();
    double* to = line + m * padded + margin;
    std::fill_n(line + m * padded, padded, 0.0);
    const int64_t first = std::max<int64_t>(0, h - kSsimWindow + 1), last = std::min(h, g.p() - 1);
    for (int64_t p = first; p <= last; ++p) {
      const double w = weights.w[h - p];
      const float* from = map + (n * g.p() + p) * width;
      for (int64_t i = 0; i < width; ++i) to[i] += w * double(from[i]);
    }
  }
  const SsimWeights w = weights;
  const bool dense = g.x_pitch() == g.c && g.y_pitch() == g.c && g.dx_pitch() == g.c;
  const int64_t count = dense ? g.w * g.c : g.c, step = dense ? g.w : 1, c = g.c;
  for (int64_t column = 0; column < g.w; column += step) {
    const int64_t pixel = (n * g.h + h) * g.w + column;
    const float *a = x + pixel * g.x_pitch(), *b = y + pixel * g.y_pitch();
    const double* from = line + margin + column * c;  // window q = column - s covers the pixel with weight s
    float* to = dx + pixel * g.dx_pitch();
    for (int64_t i = 0; i < count; ++i) {
      double sum[kMaps] = {};
      for (int s = 0; s < kSsimWindow; ++s)
        for (int m = 0; m < kMaps; ++m) sum[m] += w.w[s] * from[m * padded + i - s * c];
      to[i] = float(scale * (sum[0] + double(b[i]) * sum[1] + 2 * double(a[i]) * sum[2]));
    }
  }
}

template <Isa isa>
void backward(const Exec& exec, const SsimSpec& g, const Ssim::Backward<float>& a) {
  const Scratch scratch(exec, g);
  const SsimWeights weights;
  const double scale = -double(*a.dy) / double(g.places());
  const int64_t grain = lines_per_band(g), width = g.q() * g.c;
  parallel_for(g.n * g.p(), grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      double* line = scratch.lines + begin / grain * line_size(g);
      for (int64_t i = begin; i < end; ++i) {
        float *mean = scratch.maps + i * width, *product = mean + g.places(), *squares = product + g.places();
        for_each_place(g, weights, a.x, a.y, i / g.p(), i % g.p(), line,
                       [=](int64_t j, const SsimPlace<double>& place) {
                         mean[j] = float(place.by_mean), product[j] = float(place.by_product),
                         squares[j] = float(place.by_squares);
                       });
      }
    });
  });
  parallel_for(g.n * g.h, grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t i = begin; i < end; ++i)
        gradient_row(g, weights, scratch.maps, scale, a.x, a.y, i / g.h, i % g.h,
                     scratch.lines + begin / grain * line_size(g), a.dx);
    });
  });
}

template <Isa isa>
constexpr Implementation<Ssim> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = workspace,
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<Ssim>>& Ssim::registry() {
  static const Implementation<Ssim> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                               reference_implementation<Ssim>()};
  static const Registry<Implementation<Ssim>> registry{kName, impls};
  return registry;
}
OpInfo ssim_info() { return info_of(Ssim::registry()); }

}  // namespace kern::kernels
