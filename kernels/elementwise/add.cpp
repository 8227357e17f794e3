#include "kernels/elementwise/add.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void forward(const Exec&, const BinarySpec& g, const float* a, const float* b, float* y) {
  if (!g.vector && g.a_pitch() == g.c && g.b_step() == g.c && g.y_pitch() == g.c)  // dense: rows run into each other
    return parallel_for(g.rows * g.c, 16384, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = a[i] + b[i];
    });
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float *p = a + i * g.a_pitch(), *q = b + i * g.b_step();
      float* to = y + i * g.y_pitch();
      for (int64_t c = 0; c < g.c; ++c) to[c] = p[c] + q[c];
    }
  });
}

constexpr AddImpl kCpu = {.name = "cpu",
                          .device = Device::cpu,
                          .supports = supports_all,
                          .workspace = [](const BinarySpec& g) { return column_sums_workspace(g.rows, g.c); },
                          .forward = forward,
                          .backward_vector =
                              [](const Exec& exec, const BinarySpec& g, const float* dy, float* db) {
                                column_sums(exec, g.rows, g.c, db, [dy, pitch = g.dy_pitch()](int64_t i, int64_t c) {
                                  return dy[i * pitch + c];
                                });
                              }};
constexpr AddImplOf<Bf16> kCpuBf16 = {.name = "cpu_bf16",
                                      .device = Device::cpu,
                                      .supports = supports_all,
                                      .workspace = no_workspace,
                                      .forward =
                                          [](const Exec&, const BinarySpec& g, const Bf16* a, const Bf16* b, Bf16* y) {
                                            for (int64_t i = 0; i < g.rows; ++i)
                                              for (int64_t c = 0; c < g.c; ++c)
                                                y[i * g.y_pitch() + c] = a[i * g.a_pitch() + c] + b[i * g.b_step() + c];
                                          },
                                      .backward_vector = nullptr};
constexpr AddImpl kReference = {.name = "reference",
                                .device = Device::cpu,
                                .supports = supports_all,
                                .workspace = no_workspace,
                                .forward = [](const Exec&, const BinarySpec& g, const float* a, const float* b,
                                              float* y) { add_forward_reference(g, a, b, y); },
                                .backward_vector = [](const Exec&, const BinarySpec& g, const float* dy,
                                                      float* db) { add_backward_vector_reference(g, dy, db); }};

}  // namespace

template <>
const Registry<AddImpl>& add_registry<float>() {
  static const AddImpl impls[] = {KERN_CUDA_IMPL(add_cuda_impl<float>()) kCpu, kReference};
  static const Registry<AddImpl> registry{"add", impls};
  return registry;
}
template <>
const Registry<AddImplOf<Bf16>>& add_registry<Bf16>() {
  static const std::vector<AddImplOf<Bf16>> impls{KERN_CUDA_IMPL(add_cuda_impl<Bf16>()) kCpuBf16};
  static const Registry<AddImplOf<Bf16>> registry{"add", impls};
  return registry;
}
OpInfo add_info() { return info_of(add_registry(), add_registry<Bf16>()); }

}  // namespace kern::kernels
