// The CPU implementations of element-wise ops of one input, and their registries.
#include "kernels/elementwise/unary_ops.h"

#include <algorithm>

#include "kernels/common/isa.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

// Calls f(first implementation, count) for chunks of values that are contiguous, the loops of f compiled for an instruction
// set: the whole chunk when everything is dense, else row by row. Chunks of about 16 Ki values, cut between rows.
template <Isa isa, class F>
void for_each_chunk(int64_t rows, int64_t c, bool dense, const F& f) {
  parallel_for(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, c)), [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      if (dense) f(begin, (end - begin) * c);
      else
        for (int64_t i = begin; i < end; ++i) f(i, c);
    });
  });
}

template <class Op>
struct UnaryRows {
  template <Isa isa>
  static constexpr UnaryImpl<Op> on() {
    return {.name = isa_name(isa),
            .device = Device::cpu,
            .supports = supports_on<isa>,
            .forward =
                [](const Exec&, const UnarySpec<Op>& g, const float* x, float* y) {
                  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
                  for_each_chunk<isa>(g.rows, g.c, xp == g.c && yp == g.c, [=, &g](int64_t row, int64_t count) {
                    const Op op = g.op;  // a copy that nothing written to can alias
                    const float* from = x + row * xp;
                    float* to = y + row * yp;
                    for (int64_t i = 0; i < count; ++i) to[i] = op.forward(from[i]);
                  });
                },
            .backward =
                [](const Exec&, const UnarySpec<Op>& g, const float* dy, const float* saved, float* dx) {
                  const int64_t sp = g.saved_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
                  for_each_chunk<isa>(g.rows, g.c, sp == g.c && dyp == g.c && dxp == g.c,
                                      [=, &g](int64_t row, int64_t count) {
                                        const Op op = g.op;
                                        const float *from = dy + row * dyp, *s = saved + row * sp;
                                        float* to = dx + row * dxp;
                                        for (int64_t i = 0; i < count; ++i) to[i] = from[i] * op.derivative(s[i]);
                                      });
                }};
  }
};
template <class Op>
constexpr UnaryImpl<Op> unary_reference_impl() {
  return {.name = "reference",
          .device = Device::cpu,
          .supports = supports_all,
          .forward = [](const Exec&, const UnarySpec<Op>& g, const float* x,
                        float* y) { unary_forward_reference(g, x, y); },
          .backward = [](const Exec&, const UnarySpec<Op>& g, const float* dy, const float* saved,
                         float* dx) { unary_backward_reference(g, dy, saved, dx); }};
}
// By way of floats, one value at a time: bf16 is for GPUs.
template <class Op>
constexpr UnaryImpl<Op, Bf16> unary_cpu_bf16_impl() {
  return {.name = "cpu_bf16",
          .device = Device::cpu,
          .supports = supports_all,
          .forward =
              [](const Exec&, const UnarySpec<Op>& g, const Bf16* x, Bf16* y) {
                for (int64_t i = 0; i < g.rows; ++i)
                  for (int64_t c = 0; c < g.c; ++c)
                    y[i * g.y_pitch() + c] = g.op.forward(float(x[i * g.x_pitch() + c]));
              },
          .backward =
              [](const Exec&, const UnarySpec<Op>& g, const Bf16* dy, const Bf16* saved, Bf16* dx) {
                for (int64_t i = 0; i < g.rows; ++i)
                  for (int64_t c = 0; c < g.c; ++c)
                    dx[i * g.dx_pitch() + c] =
                        dy[i * g.dy_pitch() + c] * g.op.derivative(float(saved[i * g.saved_pitch() + c]));
              }};
}

}  // namespace

template <class Op, class T>
const Registry<UnaryImpl<Op, T>>& unary_registry() {
  static const std::vector<UnaryImpl<Op, T>> impls = [] {
    if constexpr (std::is_same_v<T, Bf16>)
      return std::vector<UnaryImpl<Op, T>>{KERN_CUDA_IMPL((unary_cuda_impl<Op, Bf16>())) unary_cpu_bf16_impl<Op>()};
    else
      return std::vector<UnaryImpl<Op, T>>{KERN_CUDA_IMPL((unary_cuda_impl<Op, float>()))
                                               KERN_SIMD_IMPLS(UnaryRows<Op>::template on),
                                           unary_reference_impl<Op>()};
  }();
  static const Registry<UnaryImpl<Op, T>> registry{Op::kName, impls};
  return registry;
}
#define KERN_INSTANTIATE(Op)                                \
  template const Registry<UnaryImpl<Op>>& unary_registry(); \
  template const Registry<UnaryImpl<Op, Bf16>>& unary_registry();
KERN_UNARY_OPS(KERN_INSTANTIATE)
#undef KERN_INSTANTIATE

}  // namespace kern::kernels
