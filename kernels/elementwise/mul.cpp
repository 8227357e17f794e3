#include "kernels/elementwise/mul.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void forward(const Exec&, const BinarySpec& g, const float* a, const float* b, float* y) {
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float *p = a + i * g.a_pitch(), *q = b + i * g.b_step();
      float* to = y + i * g.y_pitch();
      for (int64_t c = 0; c < g.c; ++c) to[c] = p[c] * q[c];
    }
  });
}

constexpr MulImpl kCpu = {.name = "cpu",
                          .device = Device::cpu,
                          .supports = supports_all,
                          .workspace = [](const BinarySpec& g) { return column_sums_workspace(g.rows, g.c); },
                          .forward = forward,
                          .backward_vector =
                              [](const Exec& exec, const BinarySpec& g, const float* dy, const float* a, float* db) {
                                column_sums(exec, g.rows, g.c, db,
                                            [dy, a, dyp = g.dy_pitch(), ap = g.a_pitch()](int64_t i, int64_t c) {
                                              return double(dy[i * dyp + c]) * double(a[i * ap + c]);
                                            });
                              }};
constexpr MulImpl kReference = {.name = "reference",
                                .device = Device::cpu,
                                .supports = supports_all,
                                .workspace = no_workspace,
                                .forward = [](const Exec&, const BinarySpec& g, const float* a, const float* b,
                                              float* y) { mul_forward_reference(g, a, b, y); },
                                .backward_vector = [](const Exec&, const BinarySpec& g, const float* dy, const float* a,
                                                      float* db) { mul_backward_vector_reference(g, dy, a, db); }};

}  // namespace

const Registry<MulImpl>& mul_registry() {
  static const MulImpl impls[] = {KERN_CUDA_IMPL(mul_cuda_impl()) kCpu, kReference};
  static const Registry<MulImpl> registry{"mul", impls};
  return registry;
}
OpInfo mul_info() { return info_of(mul_registry()); }

}  // namespace kern::kernels
