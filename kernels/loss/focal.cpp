#include "kernels/loss/focal.h"

#include "kernels/common/reduce.h"
#include "kernels/common/softmax_rows.h"

namespace kern::kernels {
namespace {

// A block of rows: what both passes need of each. Rows that take no part have factor 0 and harmless numbers.
struct Block {
  float q[kRowBlock], l[kRowBlock], factor[kRowBlock], power[kRowBlock];
};
int64_t block_of(const FocalSpec& g) { return std::max<int64_t>(1, kRowBlock / g.k); }

// Short loops, of which the processor works at several values at a time.
KERN_INLINE void binary_terms(const FocalSpec& g, const float* x, const int32_t* target, int64_t rows, Block& b) {
  const float f0 = g.binary_factor(0), f1 = g.binary_factor(1);
  const int64_t pitch = g.x_pitch();
  const float* from = pitch == 1 ? x : b.q;
  for (int64_t r = 0; pitch != 1 && r < rows; ++r) b.q[r] = x[r * pitch];
  for (int64_t r = 0; r < rows; ++r) {
    const int32_t t = target[r];
    const float v = t == kIgnore ? 0.0f : from[r], f = t == 1 ? f1 : f0;
    b.l[r] = t == 1 ? -v : v;  // the others' lead
    b.factor[r] = t == kIgnore ? 0.0f : f;
  }
  for (int64_t r = 0; r < rows; ++r) b.power[r] = exponential(b.l[r] < 0 ? b.l[r] : -b.l[r]);
  for (int64_t r = 0; r < rows; ++r) b.q[r] = (b.l[r] < 0 ? b.power[r] : 1.0f) / (1.0f + b.power[r]);
  for (int64_t r = 0; r < rows; ++r) b.l[r] = (b.l[r] < 0 ? 0.0f : b.l[r]) + logarithm_of_one_plus_share(b.power[r]);
}
// The exponentials of the rows stay in e, their sums in sums.
template <Isa isa>
KERN_INLINE void class_terms(const FocalSpec& g, const float* x, const int32_t* target, const float* weight,
                             int64_t rows, int64_t left, Block& b, float* e, int64_t e_pitch, double* sums) {
  float maxima[kRowBlock];
  row_exponentials<isa>(x, g.x_pitch(), rows, left, g.k, e, e_pitch, maxima, sums);
  for (int64_t r = 0; r < rows; ++r) {
    const int32_t t = target[r];
    const bool counts = t != kIgnore;
    // In double the difference of the sums is as good as a sum over the other classes.
    b.q[r] = counts ? float((sums[r] - double(e[r * e_pitch + t])) / sums[r]) : 0.5f;
    b.l[r] = counts ? float(sums[r]) : 1.0f;
    b.power[r] = counts ? maxima[r] - x[r * g.x_pitch() + t] : 0.0f;
    b.factor[r] = !counts ? 0.0f : weight ? weight[t] : 1.0f;
  }
  for (int64_t r = 0; r < rows; ++r) b.l[r] = logarithm(b.l[r]) + b.power[r];
}
KERN_INLINE void powers(const FocalSpec& g, int64_t rows, Block& b) {
  const float gamma = g.gamma;
  if (gamma == 0)
    for (int64_t r = 0; r < rows; ++r) b.power[r] = 1;
  else if (gamma == 2)
    for (int64_t r = 0; r < rows; ++r) b.power[r] = b.q[r] * b.q[r];
  else
    for (int64_t r = 0; r < rows; ++r) b.power[r] = exponential(gamma * logarithm(b.q[r]));
}

struct Part {  // of one chunk of rows
  double loss;
  int64_t count, bad_row;
};

template <Isa isa>
void forward(const Exec& exec, const FocalSpec& g, const Focal::Forward<float>& a) {
  const Chunks chunks(g.rows, g.k);
  Part* parts = static_cast<Part*>(exec.scratch);
  parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    Part part{0, 0, first_bad_target<isa>(a.target + begin, end - begin, class_count(g.k))};
    if (part.bad_row >= 0) part.bad_row += begin;
    else
      on_isa<isa>([&] {
        Block b;
        float e[kRowBlock];
        double sums[kRowBlock];
        for (int64_t i = begin; i < end; i += block_of(g)) {
          const int64_t rows = std::min(end - i, block_of(g));
          const float* from = a.x + i * g.x_pitch();
          if (is_binary(g.k)) binary_terms(g, from, a.target + i, rows, b);
          else class_terms<isa>(g, from, a.target + i, a.weight, rows, g.rows - i, b, e, g.k, sums);
          powers(g, rows, b);
          for (int64_t r = 0; r < rows; ++r) b.power[r] = b.factor[r] * b.power[r] * b.l[r];
          part.loss += lane_sum(rows, [&](int64_t r) { return b.power[r]; });
          int32_t count = 0;
          for (int64_t r = 0; r < rows; ++r) count += a.target[i + r] != kIgnore;
          part.count += count;
        }
      });
    parts[begin / chunks.grain] = part;
  });
  double sum = 0;
  int64_t count = 0;
  for (int64_t j = 0; j < chunks.count(); ++j) {
    const int64_t bad = parts[j].bad_row;
    if (bad >= 0) throw_bad_target(Focal::kName, class_count(g.k), bad, a.target[bad]);
    sum += parts[j].loss, count += parts[j].count;
  }
  *a.saved = float(count);
  *a.loss = count == 0 ? 0.0f : float(sum / double(count));
}

template <Isa isa>
void backward(const Exec&, const FocalSpec& g, const Focal::Backward<float>& a) {
  const float scale = *a.saved == 0 ? 0.0f : *a.dy / *a.saved;
  parallel_for(g.rows, Chunks(g.rows, g.k).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      Block b;
      double sums[kRowBlock];
      const float f = scale, gamma = g.gamma;
      const int64_t p = g.dx_pitch();
      for (int64_t i = begin; i < end; i += block_of(g)) {
        const int64_t rows = std::min(end - i, block_of(g));
        const float* from = a.x + i * g.x_pitch();
        const int32_t* t = a.target + i;
        float* to = a.dx + i * p;
        if (is_binary(g.k)) binary_terms(g, from, t, rows, b);
        else class_terms<isa>(g, from, t, a.weight, rows, g.rows - i, b, to, p, sums);
        powers(g, rows, b);
        for (int64_t r = 0; r < rows; ++r) {  // the factor of p[k] - [k = t]
          const float q = b.q[r], ratio = b.l[r] / (q == 0 ? 1.0f : q), slope = q == 0 ? 1.0f : ratio;
          b.power[r] = f * b.factor[r] * b.power[r] * (gamma * (1.0f - q) * slope + 1.0f);
        }
        if (is_binary(g.k)) {
          for (int64_t r = 0; r < rows; ++r) {
            const float d = b.power[r] * b.q[r];
            to[r * p] = t[r] == 1 ? -d : d;
          }
          continue;
        }
        for (int64_t r = 0; r < rows; ++r, to += p) {
          if (t[r] == kIgnore) {
            std::fill_n(to, g.k, 0.0f);
            continue;
          }
          const float share = b.power[r] * float(1 / sums[r]);
          for (int64_t k = 0; k < g.k; ++k) to[k] *= share;
          to[t[r]] = -b.power[r] * b.q[r];
        }
      }
    });
  });
}

template <Isa isa>
constexpr Implementation<Focal> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = [](const FocalSpec& g) { return cpu_has(isa) && g.k <= kRowBlock; },
          .workspace = [](const FocalSpec& g) { return size_t(Chunks(g.rows, g.k).count()) * sizeof(Part); },
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<Focal>>& Focal::registry() {
  static const Implementation<Focal> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                reference_implementation<Focal>()};
  static const Registry<Implementation<Focal>> registry{kName, impls};
  return registry;
}
OpInfo focal_info() { return info_of(Focal::registry()); }

}  // namespace kern::kernels
