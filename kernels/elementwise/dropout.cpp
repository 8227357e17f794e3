#include "kernels/elementwise/dropout.h"

#include "kernels/common/isa.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

constexpr int64_t kChunk = 256;  // masks drawn at a time

// philox of n counters from (c0, c1, c2, c3) on, in loops that vectorise.
KERN_INLINE void philox_in_turn(PhiloxKey key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, int64_t n,
                                uint32_t* w0, uint32_t* w1, uint32_t* w2, uint32_t* w3) {
  for (int64_t i = 0; i < n; ++i) w0[i] = c0 + uint32_t(i), w1[i] = c1, w2[i] = c2, w3[i] = c3;
  for (int round = 0; round < 10; ++round) {
    for (int64_t i = 0; i < n; ++i) {
      const Random4 r = philox_round(key, {{w0[i], w1[i], w2[i], w3[i]}});
      w0[i] = r.v[0], w1[i] = r.v[1], w2[i] = r.v[2], w3[i] = r.v[3];
    }
    key = philox_next(key);
  }
}

// keep[k] = scale or 0 for the masks [first, first + count), count <= kChunk.
KERN_INLINE void draw(const DropoutSpec& g, uint64_t step, int64_t first, int64_t count, float* keep) {
  constexpr int64_t kBlocks = kChunk / 4 + 2;
  uint32_t words[4][kBlocks];
  float drawn[4 * kBlocks];
  const int64_t block = first / 4, blocks = (first + count + 3) / 4 - block;
  const float scale = g.scale(), p = g.p;
  philox_in_turn(g.key, uint32_t(block), g.call, uint32_t(step), uint32_t(step >> 32), blocks, words[0], words[1],
                 words[2], words[3]);
  for (int64_t b = 0; b < blocks; ++b)
    for (int k = 0; k < 4; ++k) drawn[4 * b + k] = to_uniform(words[k][b]) >= p ? scale : 0.0f;
  std::copy_n(drawn + first % 4, count, keep);
}

// A dropped value is 0 even where it was not finite.
KERN_INLINE void apply(const float* keep, int64_t count, const float* x, float* y) {
  for (int64_t k = 0; k < count; ++k) {
    const float v = x[k] * keep[k];
    y[k] = keep[k] != 0 ? v : 0.0f;
  }
}

// One mask for many values in a row (whole samples): chunks are of values, as there are few masks.
template <Isa isa>
void forward_runs(const DropoutSpec& g, uint64_t step, const float* x, float* y) {
  parallel_for(g.rows, 16384, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t i = begin; i < end;) {
        const int64_t run = i / g.span, until = std::min(end, (run + 1) * g.span);
        float keep = 0;
        draw(g, step, run, 1, &keep);
        for (; i < until; ++i) y[i] = keep != 0 ? x[i] * keep : 0.0f;
      }
    });
  });
}

template <Isa isa>
void forward(const Exec&, const DropoutSpec& g, const uint64_t* step, const float* x, float* y) {
  if (g.c == 1 && g.span > 1 && g.x_pitch() == 1 && g.y_pitch() == 1) return forward_runs<isa>(g, *step, x, y);
  const int64_t samples = ceil_div(g.rows, g.span),
                grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, g.c * g.span));
  parallel_for(samples, grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      float keep[kChunk];
      if (g.span == 1 && g.x_pitch() == g.c && g.y_pitch() == g.c) {  // dense: rows run into each other
        for (int64_t first = begin * g.c; first < end * g.c; first += kChunk) {
          const int64_t count = std::min(kChunk, end * g.c - first);
          draw(g, *step, first, count, keep);
          apply(keep, count, x + first, y + first);
        }
        return;
      }
      for (int64_t s = begin; s < end; ++s)
        for (int64_t c = 0; c < g.c; c += kChunk) {
          const int64_t count = std::min(kChunk, g.c - c);
          draw(g, *step, s * g.c + c, count, keep);
          for (int64_t i = s * g.span; i < std::min(g.rows, (s + 1) * g.span); ++i)
            apply(keep, count, x + i * g.x_pitch() + c, y + i * g.y_pitch() + c);
        }
    });
  });
}

template <Isa isa>
constexpr DropoutImpl simd() {
  return {.name = isa_name(isa), .device = Device::cpu, .supports = supports_on<isa>, .forward = forward<isa>};
}
const DropoutImpl kImpls[] = {
    KERN_CUDA_IMPL(dropout_cuda_impl()) KERN_SIMD_IMPLS(simd),
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .forward = [](const Exec&, const DropoutSpec& g, const uint64_t* step, const float* x,
                   float* y) { dropout_reference(g, step, x, y); }},
};
const Registry<DropoutImpl> kRegistry{"dropout", kImpls};

}  // namespace

const Registry<DropoutImpl>& dropout_registry() { return kRegistry; }
OpInfo dropout_info() { return info_of(dropout_registry()); }

}  // namespace kern::kernels
