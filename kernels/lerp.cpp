#include "kernels/lerp.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr LerpRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .step =
         [](const Exec&, const LerpSpec& g, const float* x, float* p) {
           parallel_for(g.n, 16384, [=, a = float(g.decay), b = float(1 - g.decay)](int64_t begin, int64_t end) {
             for (int64_t i = begin; i < end; ++i) p[i] = a * p[i] + b * x[i];
           });
         }},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .step = [](const Exec&, const LerpSpec& g, const float* x, float* p) { lerp_reference(g, x, p); }},
};
constexpr Table<LerpRow> kTable{"lerp", kRows};

}  // namespace

const Table<LerpRow>& lerp_table() { return kTable; }
OpInfo lerp_info() { return info_of(kTable); }

}  // namespace kern::kernels
