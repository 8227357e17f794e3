#include "kernels/loss/tversky.h"

#include "kernels/common/channels.h"
#include "kernels/common/reduce.h"
#include "kernels/common/softmax_rows.h"

namespace kern::kernels {
namespace {

// Sums of a chunk of one group, [terms][K]: of t p, of p and of t.
constexpr int kTerms = 3;
GroupChunks chunks_of(const TverskySpec& g) { return {.groups = g.groups, .rows = g.rows, .c = g.k}; }
int64_t block_of(const TverskySpec& g) { return std::max<int64_t>(1, kRowBlock / g.k); }

// What a block of rows adds to the sums of class k, p being its probabilities; kept is scratch.
KERN_INLINE void add_sums(int32_t k, int64_t stride, int64_t rows, const int32_t* target, float* p, float* kept,
                          double* sums) {
  int32_t count = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float v = p[r];
    kept[r] = target[r] == kIgnore ? 0.0f : v;
    p[r] = target[r] == k ? v : 0.0f;
    count += target[r] == k;
  }
  sums[0] += lane_sum(rows, [&](int64_t r) { return p[r]; });
  sums[stride] += lane_sum(rows, [&](int64_t r) { return kept[r]; });
  sums[2 * stride] += count;
}

// Rows [begin, end) with one logit, no more than kRowBlock.
KERN_INLINE void add_binary(const TverskySpec& g, const float* x, const int32_t* target, int64_t begin, int64_t end,
                            double* sums) {
  float p[kRowBlock], tp[kRowBlock];
  const int64_t rows = end - begin, pitch = g.x_pitch();
  const int32_t* t = target + begin;
  const float* from = pitch == 1 ? x + begin : p;
  for (int64_t r = 0; pitch != 1 && r < rows; ++r) p[r] = x[(begin + r) * pitch];
  for (int64_t r = 0; r < rows; ++r) tp[r] = 1.0f / (1.0f + exponential(-from[r]));
  add_sums(1, g.k, rows, t, tp, p, sums);
}

// Rows [begin, end) with K logits, of no more than kRowBlock values.
template <Isa isa>
KERN_INLINE void add_classes(const TverskySpec& g, const float* x, const int32_t* target, int64_t begin, int64_t end,
                             double* sums) {
  float e[kRowBlock], maxima[kRowBlock], p[kRowBlock], kept[kRowBlock];
  double row_sums[kRowBlock];
  const int64_t rows = end - begin, classes = g.k;
  row_exponentials<isa>(x + begin * g.x_pitch(), g.x_pitch(), rows, g.groups * g.rows - begin, g.k, e, g.k, maxima,
                        row_sums);
  for (int64_t r = 0; r < rows; ++r) maxima[r] = float(1 / row_sums[r]);
  for (int64_t k = 0; k < classes; ++k) {  // every loop over the rows: they are more than the classes
    for (int64_t r = 0; r < rows; ++r) p[r] = e[r * classes + k] * maxima[r];
    add_sums(int32_t(k), classes, rows, target + begin, p, kept, sums + k);
  }
}

template <Isa isa>
void forward(const Exec& exec, const TverskySpec& g, const Tversky::Forward<float>& a) {
  const GroupChunks chunks = chunks_of(g);
  double* result = static_cast<double*>(exec.scratch);
  int64_t* bad = reinterpret_cast<int64_t*>(result + chunks.doubles(kTerms));  // one per chunk
  chunks.for_each([&](int64_t group, int64_t chunk, int64_t begin, int64_t end) {
    double* sums = result + group * chunks.group_stride(kTerms) + chunk * kTerms * g.k;
    std::fill_n(sums, kTerms * g.k, 0.0);
    const int64_t first_bad = first_bad_target<isa>(a.target + begin, end - begin, class_count(g.k));
    bad[group * chunks.chunks() + chunk] = first_bad < 0 ? first_bad : begin + first_bad;
    if (first_bad >= 0) return;
    on_isa<isa>([&] {
      for (int64_t i = begin; i < end; i += block_of(g)) {
        const int64_t last = std::min(end, i + block_of(g));
        if (is_binary(g.k)) add_binary(g, a.x, a.target, i, last, sums);
        else add_classes<isa>(g, a.x, a.target, i, last, sums);
      }
    });
  });
  for (int64_t i = 0; i < g.groups * chunks.chunks(); ++i)
    if (bad[i] >= 0) throw_bad_target(Tversky::kName, class_count(g.k), bad[i], a.target[bad[i]]);

  double total = 0;
  for (int64_t group = 0; group < g.groups; ++group) {
    const double* first = result + group * chunks.group_stride(kTerms);
    for (int64_t k = 0; k < g.k; ++k) {
      double sum[kTerms] = {};
      for (int64_t chunk = 0; chunk < chunks.chunks(); ++chunk)
        for (int term = 0; term < kTerms; ++term) sum[term] += first[(chunk * kTerms + term) * g.k + k];
      const auto [tp, p, t] = sum;
      const double top = tp + double(g.smooth),
                   bottom = tp + double(g.alpha) * (p - tp) + double(g.beta) * (t - tp) + double(g.smooth);
      total += bottom == 0 ? 1 : top / bottom;
      float* const ab = a.saved + 2 * (group * g.k + k);
      ab[0] = float(top), ab[1] = float(bottom);
    }
  }
  *a.loss = g.groups == 0 ? 0.0f : float(1 - total / double(g.groups * g.k));
}

// dL/dp of class k for a row whose target is another class and for one whose target it is.
struct Slopes {
  float other, own;
};
Slopes slopes(const TverskySpec& g, float dy, const float* ab) {
  const double a = double(ab[0]), b = double(ab[1]), f = -double(dy) / double(g.groups * g.k);
  if (b == 0) return {0, 0};
  return {float(-f * a * double(g.alpha) / (b * b)), float(f * (1 / b - a * (g.both() + double(g.alpha)) / (b * b)))};
}

KERN_INLINE void binary_gradient(const TverskySpec& g, Slopes slope, const float* x, const int32_t* target,
                                 int64_t begin, int64_t end, float* dx) {
  auto run = [=](int64_t xp, int64_t dxp) {
    for (int64_t i = begin; i < end; ++i) {
      const int32_t t = target[i];
      const float p = 1.0f / (1.0f + exponential(-x[i * xp])), d = t == 1 ? slope.own : slope.other;
      const float gradient = p * (1.0f - p) * d;
      dx[i * dxp] = t == kIgnore ? 0.0f : gradient;
    }
  };
  if (g.x_pitch() == 1 && g.dx_pitch() == 1) run(1, 1);
  else run(g.x_pitch(), g.dx_pitch());
}

// Of a block of rows whose exponentials stand in dx, with their sums. own[k] is what class k's slope changes by where it
// is the target.
KERN_INLINE void class_gradients(const TverskySpec& g, const float* other, const float* own, const int32_t* target,
                                 int64_t rows, const double* sums, float* dx) {
  const int64_t classes = g.k, pitch = g.dx_pitch();
  float factor[kRowBlock], p[kRowBlock];
  double average[kRowBlock];
  for (int64_t r = 0; r < rows; ++r) factor[r] = float(1 / sums[r]), average[r] = 0;
  for (int64_t k = 0; k < classes; ++k) {
    const float slope = other[k], at_target = other[k] + own[k];
    for (int64_t r = 0; r < rows; ++r) p[r] = dx[r * pitch + k] * factor[r];
    for (int64_t r = 0; r < rows; ++r) p[r] *= target[r] == k ? at_target : slope;
    for (int64_t r = 0; r < rows; ++r) average[r] += double(p[r]);
  }
  float mean[kRowBlock];
  for (int64_t r = 0; r < rows; ++r) mean[r] = float(average[r]);
  for (int64_t k = 0; k < classes; ++k) {
    const float slope = other[k], at_target = other[k] + own[k];
    for (int64_t r = 0; r < rows; ++r) p[r] = dx[r * pitch + k] * factor[r];
    for (int64_t r = 0; r < rows; ++r) {
      const float gradient = p[r] * ((target[r] == k ? at_target : slope) - mean[r]);
      p[r] = target[r] == kIgnore ? 0.0f : gradient;
    }
    for (int64_t r = 0; r < rows; ++r) dx[r * pitch + k] = p[r];
  }
}

template <Isa isa>
void backward(const Exec&, const TverskySpec& g, const Tversky::Backward<float>& a) {
  const float scale = *a.dy;
  chunks_of(g).for_each([&](int64_t group, int64_t, int64_t begin, int64_t end) {
    const float* ab = a.saved + group * g.k * 2;
    if (is_binary(g.k)) {
      const Slopes slope = slopes(g, scale, ab);
      return on_isa<isa>([&] { binary_gradient(g, slope, a.x, a.target, begin, end, a.dx); });
    }
    float other[kRowBlock], own[kRowBlock], maxima[kRowBlock];
    double sums[kRowBlock];
    for (int64_t k = 0; k < g.k; ++k) {
      const Slopes slope = slopes(g, scale, ab + 2 * k);
      other[k] = slope.other, own[k] = slope.own - slope.other;
    }
    on_isa<isa>([&] {
      for (int64_t i = begin; i < end; i += block_of(g)) {
        const int64_t rows = std::min(end - i, block_of(g)), p = g.dx_pitch();
        row_exponentials<isa>(a.x + i * g.x_pitch(), g.x_pitch(), rows, g.groups * g.rows - i, g.k, a.dx + i * p, p,
                              maxima, sums);
        class_gradients(g, other, own, a.target + i, rows, sums, a.dx + i * p);
      }
    });
  });
}

template <Isa isa>
constexpr Implementation<Tversky> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = [](const TverskySpec& g) { return cpu_has(isa) && g.k <= kRowBlock; },
          .workspace =
              [](const TverskySpec& g) {
                const GroupChunks c = chunks_of(g);
                return c.bytes(kTerms) + size_t(g.groups * c.chunks()) * sizeof(int64_t);
              },
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<Tversky>>& Tversky::registry() {
  static const Implementation<Tversky> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                  reference_implementation<Tversky>()};
  static const Registry<Implementation<Tversky>> registry{kName, impls};
  return registry;
}
OpInfo tversky_info() { return info_of(Tversky::registry()); }

}  // namespace kern::kernels
