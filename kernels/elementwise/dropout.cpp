#include "kernels/elementwise/dropout.h"

#include "kernels/common/isa.h"
#include "kernels/common/reduce.h"
#include "kernels/elementwise/dropout_simd.h"

namespace kern::kernels {
namespace {

// One mask for many values in a row (whole samples): chunks are of values, as there are few masks.
template <Isa isa>
void forward_runs(const DropoutSpec& g, uint64_t step, const float* x, float* y) {
  parallel_for(g.rows, 16384, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t i = begin; i < end;) {
        const int64_t run = i / g.span, until = std::min(end, (run + 1) * g.span);
        const float keep = g.keeps(g.words(step, run / 4).v[run % 4]) ? g.scale() : 0.0f;
        for (; i < until; ++i) y[i] = keep != 0 ? x[i] * keep : 0.0f;
      }
    });
  });
}

template <Isa isa>
void forward(const Exec&, const DropoutSpec& g, const uint64_t* step, const float* x, float* y) {
  if (g.c == 1 && g.span > 1 && g.x_pitch() == 1 && g.y_pitch() == 1) return forward_runs<isa>(g, *step, x, y);
  dropout_rows<isa>(g, *step, x, y);
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
