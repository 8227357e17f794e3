#include "kernels/cross_entropy.h"

#include "kernels/common/reduce.h"
#include "kernels/common/softmax_rows.h"

namespace kern::kernels {
namespace {

struct Part {  // of one chunk of rows
  double loss, weight;
  int64_t bad_row;  // the first with an impossible target, or -1
};

double sum_of_weights(const CrossEntropySpec& g, const float* weight) {
  if (!weight) return double(g.k);
  double sum = 0;
  for (int64_t k = 0; k < g.k; ++k) sum += double(weight[k]);
  return sum;
}

// m and s of `rows` rows. Rows longer than the buffer go through it in pieces.
KERN_INLINE void maxima_and_sums(const float* x, int64_t pitch, int64_t rows, int64_t k, float* maxima, double* sums) {
  float buffer[kRowBlock];
  if (k <= kRowBlock) return row_exponentials(x, pitch, rows, k, buffer, k, maxima, sums);
  for (int64_t i = 0; i < rows; ++i) {
    const float* row = x + i * pitch;
    float m = row[0];
    for (int64_t j = 1; j < k; ++j) m = row[j] > m ? row[j] : m;
    double sum = 0;
    for (int64_t first = 0; first < k; first += kRowBlock) {
      const int64_t count = std::min(kRowBlock, k - first);
      for (int64_t j = 0; j < count; ++j) buffer[j] = exponential(row[first + j] - m);
      sum += lane_sum(count, [&](int64_t j) { return buffer[j]; });
    }
    maxima[i] = m, sums[i] = sum;
  }
}

// Rows [begin, end) of at most kRowBlock values (or one row), whose targets are sound.
KERN_INLINE void add_rows(const CrossEntropySpec& g, const float* x, const int32_t* target, const float* weight,
                          float* saved, int64_t begin, int64_t end, Part& part) {
  float maxima[kRowBlock], logs[kRowBlock];
  double sums[kRowBlock];
  const int64_t rows = end - begin;
  maxima_and_sums(x + begin * g.x_pitch(), g.x_pitch(), rows, g.k, maxima, sums);
  for (int64_t r = 0; r < rows; ++r) logs[r] = logarithm(float(sums[r]));
  const double kept = 1 - double(g.smoothing), spread = g.spread();
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t i = begin + r;
    const int32_t t = target[i];
    saved[2 * i] = maxima[r], saved[2 * i + 1] = float(sums[r]);
    if (t == kIgnore) continue;
    const float* xi = x + i * g.x_pitch();
    const double w = weight ? double(weight[t]) : 1.0, log_sum = double(logs[r]) + double(maxima[r]);
    part.loss += kept * w * double(logs[r] + (maxima[r] - xi[t]));
    part.weight += w;
    if (g.smoothing > 0)
      part.loss += spread * lane_sum(g.k, [&](int64_t k) {
                     return (weight ? double(weight[k]) : 1.0) * (log_sum - double(xi[k]));
                   });
  }
}

template <Isa isa>
void forward(const Exec& exec, const CrossEntropySpec& g, const float* x, const int32_t* target, const float* weight,
             float* loss, float* saved) {
  const Chunks chunks(g.rows, g.k);
  const int64_t block = std::clamp<int64_t>(kRowBlock / g.k, 1, kRowBlock);
  Part* parts = static_cast<Part*>(exec.scratch);
  parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    Part part{0, 0, first_bad_target(target + begin, end - begin, g.k)};
    if (part.bad_row >= 0) part.bad_row += begin;
    else
      on_isa<isa>([&] {
        for (int64_t i = begin; i < end; i += block)
          add_rows(g, x, target, weight, saved, i, std::min(end, i + block), part);
      });
    parts[begin / chunks.grain] = part;
  });
  double sum = 0, total = 0;
  for (int64_t j = 0; j < chunks.count(); ++j) {
    const int64_t bad = parts[j].bad_row;
    if (bad >= 0) throw_bad_target("cross_entropy", g.k, bad, target[bad]);
    sum += parts[j].loss;
    total += parts[j].weight;
  }
  saved[2 * g.rows] = float(total);
  *loss = total == 0 ? 0.0f : float(sum / total);
}

template <Isa isa>
void backward(const Exec&, const CrossEntropySpec& g, const float* dy, const float* x, const int32_t* target,
              const float* weight, const float* saved, float* dx) {
  const float total = saved[2 * g.rows], scale = *dy / total, kept = 1 - g.smoothing, spread = float(g.spread());
  const float all = spread * float(sum_of_weights(g, weight));
  for_each_row_block(g.rows, g.k, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t i = begin; i < end; ++i) {
        const float *from = x + i * g.x_pitch(), max = saved[2 * i];
        float* to = dx + i * g.dx_pitch();
        for (int64_t k = 0; k < g.k; ++k) to[k] = from[k] - max;
      }
      exponentials(dx, g.dx_pitch(), begin, end, g.k);
      for (int64_t i = begin; i < end; ++i) {
        const int32_t t = target[i];
        float* to = dx + i * g.dx_pitch();
        if (t == kIgnore || total == 0) {
          std::fill_n(to, g.k, 0.0f);
          continue;
        }
        const float w = kept * (weight ? scale * weight[t] : scale), f = (w + scale * all) / saved[2 * i + 1];
        for (int64_t k = 0; k < g.k; ++k) to[k] *= f;
        to[t] -= w;
        if (spread > 0)
          for (int64_t k = 0; k < g.k; ++k) to[k] -= scale * spread * (weight ? weight[k] : 1.0f);
      }
    });
  });
}

template <Isa isa>
constexpr CrossEntropyRow simd_row() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = [](const CrossEntropySpec& g) { return size_t(Chunks(g.rows, g.k).count()) * sizeof(Part); },
          .forward = forward<isa>,
          .backward = backward<isa>};
}
constexpr CrossEntropyRow kRows[] = {
    KERN_SIMD_ROWS(simd_row),
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward = [](const Exec&, const CrossEntropySpec& g, const float* x, const int32_t* target, const float* weight,
                   float* loss, float* saved) { cross_entropy_forward_reference(g, x, target, weight, loss, saved); },
     .backward = [](const Exec&, const CrossEntropySpec& g, const float* dy, const float* x, const int32_t* target,
                    const float* weight, const float* saved,
                    float* dx) { cross_entropy_backward_reference(g, dy, x, target, weight, saved, dx); }},
};
constexpr Table<CrossEntropyRow> kTable{"cross_entropy", kRows};

}  // namespace

const Table<CrossEntropyRow>& cross_entropy_table() { return kTable; }
OpInfo cross_entropy_info() { return info_of(kTable); }

}  // namespace kern::kernels
