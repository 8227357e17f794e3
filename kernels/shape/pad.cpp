#include "kernels/shape/pad.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void zero(float* y, int64_t rows, int64_t c, int64_t pitch) {
  if (pitch == c) std::fill_n(y, rows * c, 0.0f);
  else
    for (int64_t i = 0; i < rows; ++i) std::fill_n(y + i * pitch, c, 0.0f);
}
void copy(const float* x, int64_t x_pitch, float* y, int64_t y_pitch, int64_t rows, int64_t c) {
  if (x_pitch == c && y_pitch == c) std::copy_n(x, rows * c, y);
  else
    for (int64_t i = 0; i < rows; ++i) std::copy_n(x + i * x_pitch, c, y + i * y_pitch);
}

// A chunk is some of the output's rows (n, p); each is what x has before it, a copy, what x has behind it.
void forward_mirror(const PadSpec& g, const float* x, float* y) {
  const int64_t P = g.p(), Q = g.q(), xp = g.x_pitch(), yp = g.y_pitch();
  parallel_for(g.n * P, Chunks(g.n * P, Q * g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x + (row / P * g.h + mirrored(row % P - g.top, g.h)) * g.w * xp;
      float* to = y + row * Q * yp;
      for (int64_t q = 0; q < Q; ++q) std::copy_n(from + mirrored(q - g.left, g.w) * xp, g.c, to + q * yp);
    }
  });
}

// A chunk is some of the input's rows (n, h).
void backward_mirror(const PadSpec& g, const float* dy, float* dx) {
  const int64_t P = g.p(), Q = g.q(), xp = g.dx_pitch(), yp = g.dy_pitch();
  parallel_for(g.n * g.h, Chunks(g.n * g.h, Q * g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float* to = dx + row * g.w * xp;
      zero(to, g.w, g.c, xp);
      MirrorImages{row % g.h, g.h, -g.top, P - g.top}.for_each([&](int64_t p) {
        const float* from = dy + (row / g.h * P + p + g.top) * Q * yp;
        for (int64_t q = 0; q < Q; ++q) {
          float* sum = to + mirrored(q - g.left, g.w) * xp;
          for (int64_t c = 0; c < g.c; ++c) sum[c] += from[q * yp + c];
        }
      });
    }
  });
}

// A chunk is some of the output's rows (n, p); each is zeros, a copy, zeros.
void forward(const Exec&, const PadSpec& g, const Pad::Forward<float>& a) {
  const float* const x = a.x;
  float* const y = a.y;
  if (g.mirror && g.x_rows() > 0) return forward_mirror(g, x, y);
  const int64_t P = g.p(), Q = g.q(), xp = g.x_pitch(), yp = g.y_pitch();
  const int64_t first = std::clamp<int64_t>(g.left, 0, Q), last = std::clamp<int64_t>(g.left + g.w, first, Q);
  parallel_for(g.n * P, Chunks(g.n * P, Q * g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float* to = y + row * Q * yp;
      const int64_t h = row % P - g.top;
      if (h < 0 || h >= g.h || first == last) {
        zero(to, Q, g.c, yp);
        continue;
      }
      zero(to, first, g.c, yp);
      copy(x + ((row / P * g.h + h) * g.w + first - g.left) * xp, xp, to + first * yp, yp, last - first, g.c);
      zero(to + last * yp, Q - last, g.c, yp);
    }
  });
}

void backward(const Exec& exec, const PadSpec& g, const Pad::Backward<float>& a) {
  if (g.mirror) return backward_mirror(g, a.dy, a.dx);
  forward(exec, g.backward_as_forward(), {a.dy, a.dx});
}

}  // namespace

const Registry<Implementation<Pad>>& Pad::registry() {
  static const Implementation<Pad> impls[] = {
      KERN_CUDA_IMPL(cuda()){
          .name = "cpu", .device = Device::cpu, .supports = supports_all, .forward = forward, .backward = backward},
      reference_implementation<Pad>()};
  static const Registry<Implementation<Pad>> registry{kName, impls};
  return registry;
}
OpInfo pad_info() { return info_of(Pad::registry()); }

}  // namespace kern::kernels
