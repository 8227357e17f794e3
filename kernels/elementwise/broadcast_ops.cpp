// The CPU implementations of element-wise ops of two inputs with broadcasting, and their registries.
#include "kernels/elementwise/broadcast_ops.h"

#include "kernels/common/isa.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr int64_t kGrain = 16384;

// to[i] = f(i, a's value, b's value), in loops of which the compiler knows whether an input repeats.
template <class F>
KERN_INLINE void run(int64_t count, const float* a, int64_t a_stride, const float* b, int64_t b_stride, const F& f) {
  if (a_stride == 1 && b_stride == 1)
    for (int64_t i = 0; i < count; ++i) f(i, a[i], b[i]);
  else if (a_stride == 1 && b_stride == 0)
    for (int64_t i = 0; i < count; ++i) f(i, a[i], *b);
  else if (a_stride == 0 && b_stride == 1)
    for (int64_t i = 0; i < count; ++i) f(i, *a, b[i]);
  else
    for (int64_t i = 0; i < count; ++i) f(i, a[i * a_stride], b[i * b_stride]);
}

// y[i] = f(i of y, a, b) for all values.
template <Isa isa, class F>
void for_all(const BroadcastSpec& g, const float* a, const float* b, float* y, const F& f) {
  const int64_t as = g.a.back(), bs = g.b.back();
  parallel_for(g.size(), kGrain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for_each_run(g.sizes, g.strides(), begin, end, [&](int64_t first, int64_t count, const auto& at) {
        float* const to = y + first;
        run(count, a + at[0], as, b + at[1], bs, [=](int64_t i, float u, float v) { to[i] = f(first + i, u, v); });
      });
    });
  });
}

template <class Op>
struct BroadcastRows {
  template <Isa isa>
  static constexpr BroadcastImpl<Op> on() {
    return {
        .name = isa_name(isa),
        .device = Device::cpu,
        .supports = supports_on<isa>,
        .forward =
            [](const Exec&, const BroadcastSpec& g, const float* a, const float* b, float* y) {
              for_all<isa>(g, a, b, y, [](int64_t, float u, float v) { return Op::forward(u, v); });
            },
        .backward_a =
            [](const Exec&, const BroadcastSpec& g, const float* dy, const float* a, const float* b, float* da) {
              for_all<isa>(g, a, b, da, [dy](int64_t i, float u, float v) { return dy[i] * Op::derivative_a(u, v); });
            },
        .backward_b =
            [](const Exec&, const BroadcastSpec& g, const float* dy, const float* a, const float* b, float* db) {
              for_all<isa>(g, a, b, db, [dy](int64_t i, float u, float v) { return dy[i] * Op::derivative_b(u, v); });
            }};
  }
};
template <class Op>
constexpr BroadcastImpl<Op> kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const BroadcastSpec& g, const float* a, const float* b,
                  float* y) { broadcast_forward_reference<Op>(g, a, b, y); },
    .backward_a = [](const Exec&, const BroadcastSpec& g, const float* dy, const float* a, const float* b,
                     float* da) { broadcast_backward_reference<Op>(g, true, dy, a, b, da); },
    .backward_b = [](const Exec&, const BroadcastSpec& g, const float* dy, const float* a, const float* b,
                     float* db) { broadcast_backward_reference<Op>(g, false, dy, a, b, db); }};

}  // namespace

template <class Op>
const Registry<BroadcastImpl<Op>>& broadcast_registry() {
  static const BroadcastImpl<Op> impls[] = {
      KERN_CUDA_IMPL(broadcast_cuda_impl<Op>()) KERN_SIMD_IMPLS(BroadcastRows<Op>::template on), kReference<Op>};
  static const Registry<BroadcastImpl<Op>> registry{Op::kName, impls};
  return registry;
}

#define KERN_INSTANTIATE(Op) template const Registry<BroadcastImpl<Op>>& broadcast_registry();
KERN_BROADCAST_OPS(KERN_INSTANTIATE)
#undef KERN_INSTANTIATE

}  // namespace kern::kernels
