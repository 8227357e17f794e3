#include "kernels/pool/upsample.h"

#include "kernels/common/isa.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

// One dimension, worked out once per call: the taps of every output position and, as taps never go back, the range of
// outputs that read an input position.
struct Axis {
  Tap* taps;
  int *begin, *end;
  static constexpr size_t bytes(int in, int out) { return size_t(out) * sizeof(Tap) + 2 * size_t(in) * sizeof(int); }
  template <class F>
  Axis(std::byte*& memory, int in, int out, F&& tap)
      : taps(reinterpret_cast<Tap*>(memory)), begin(reinterpret_cast<int*>(taps + out)), end(begin + in) {
    memory += bytes(in, out);
    for (int o = 0; o < out; ++o) taps[o] = tap(o);
    for (int i = 0, first = 0, last = 0; i < in; ++i) {
      while (first < out && taps[first].i1 < i) ++first;
      while (last < out && taps[last].i0 <= i) ++last;
      begin[i] = first;
      end[i] = last;
    }
  }
};
static_assert(alignof(Tap) == alignof(int) && sizeof(Tap) % alignof(int) == 0);

size_t workspace(const UpsampleSpec& g) { return Axis::bytes(g.h, g.p) + Axis::bytes(g.w, g.q); }

int64_t rows_per_chunk(int columns, int c) { return std::max<int64_t>(1, 16384 / std::max(1, columns * c)); }

// A chunk is some of the output's rows (n, p).
template <Isa isa>
void forward(const Exec& exec, const UpsampleSpec& g, const float* x, float* y) {
  std::byte* memory = static_cast<std::byte*>(exec.scratch);
  const Axis rows(memory, g.h, g.p, [&](int p) { return g.row_tap(p); }),
      columns(memory, g.w, g.q, [&](int q) { return g.column_tap(q); });
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  parallel_for(int64_t{g.n} * g.p, rows_per_chunk(g.q, g.c), [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t row = begin; row < end; ++row) {
        const Tap a = rows.taps[row % g.p];
        const float *image = x + row / g.p * g.h * g.w * xp, *upper = image + int64_t{a.i0} * g.w * xp,
                    *lower = image + int64_t{a.i1} * g.w * xp;
        for (int q = 0; q < g.q; ++q) {
          const Tap b = columns.taps[q];
          float* to = y + (row * g.q + q) * yp;
          if (g.how == Upsampling::nearest) {
            std::copy_n(upper + b.i0 * xp, g.c, to);
            continue;
          }
          const float *v00 = upper + b.i0 * xp, *v01 = upper + b.i1 * xp, *v10 = lower + b.i0 * xp,
                      *v11 = lower + b.i1 * xp;
          const float w00 = (1 - a.w1) * (1 - b.w1), w01 = (1 - a.w1) * b.w1, w10 = a.w1 * (1 - b.w1),
                      w11 = a.w1 * b.w1;
          if (a.i0 == a.i1)  // a signal, or the border: one row carries all the weight
            for (int c = 0; c < g.c; ++c) to[c] = (1 - b.w1) * v00[c] + b.w1 * v01[c];
          else
            for (int c = 0; c < g.c; ++c) to[c] = (w00 * v00[c] + w01 * v01[c]) + (w10 * v10[c] + w11 * v11[c]);
        }
      }
    });
  });
}

// A chunk is some of the input's rows (n, h): each gathers what it gave.
template <Isa isa>
void backward(const Exec& exec, const UpsampleSpec& g, const float* dy, float* dx) {
  std::byte* memory = static_cast<std::byte*>(exec.scratch);
  const Axis rows(memory, g.h, g.p, [&](int p) { return g.row_tap(p); }),
      columns(memory, g.w, g.q, [&](int q) { return g.column_tap(q); });
  const int64_t dyp = g.dy_pitch(), dxp = g.dx_pitch();
  parallel_for(int64_t{g.n} * g.h, rows_per_chunk(g.w, g.c), [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t row = begin; row < end; ++row) {
        const int h = int(row % g.h);
        const float* image = dy + row / g.h * g.p * g.q * dyp;
        for (int w = 0; w < g.w; ++w) {
          float* to = dx + (row * g.w + w) * dxp;
          std::fill_n(to, g.c, 0.0f);
          for (int p = rows.begin[h]; p < rows.end[h]; ++p) {
            const float from_row = rows.taps[p].weight(h);
            for (int q = columns.begin[w]; q < columns.end[w]; ++q) {
              const float weight = from_row * columns.taps[q].weight(w), *from = image + (int64_t{p} * g.q + q) * dyp;
              for (int c = 0; c < g.c; ++c) to[c] += weight * from[c];
            }
          }
        }
      }
    });
  });
}

template <Isa isa>
constexpr UpsampleImpl simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = workspace,
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

template <>
const Registry<UpsampleImpl>& upsample_registry<float>() {
  static const UpsampleImpl impls[] = {
      KERN_CUDA_IMPL(upsample_cuda_impl<float>()) KERN_SIMD_IMPLS(simd),
      {.name = "reference",
       .device = Device::cpu,
       .supports = supports_all,
       .workspace = no_workspace,
       .forward = [](const Exec&, const UpsampleSpec& g, const float* x,
                     float* y) { upsample_forward_reference(g, x, y); },
       .backward = [](const Exec&, const UpsampleSpec& g, const float* dy,
                      float* dx) { upsample_backward_reference(g, dy, dx); }},
  };
  static const Registry<UpsampleImpl> registry{"upsample", impls};
  return registry;
}
template <>
const Registry<UpsampleImplOf<Bf16>>& upsample_registry<Bf16>() {
  static const std::vector<UpsampleImplOf<Bf16>> impls{KERN_CUDA_IMPL(upsample_cuda_impl<Bf16>())};
  static const Registry<UpsampleImplOf<Bf16>> registry{"upsample", impls};
  return registry;
}
OpInfo upsample_info() { return info_of(upsample_registry(), upsample_registry<Bf16>()); }

}  // namespace kern::kernels
