#include "kernels/sum_squares.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

constexpr SumSquaresRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = [](const SumSquaresSpec& g) { return sum_flat_workspace(g.n); },
     .add =
         [](const Exec& exec, const SumSquaresSpec& g, const float* x, double* total) {
           *total += sum_flat(exec, g.n, [x](int64_t i) { return double(x[i]) * double(x[i]); });
         }},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .add = [](const Exec&, const SumSquaresSpec& g, const float* x,
               double* total) { sum_squares_reference(g, x, total); }},
};
constexpr Table<SumSquaresRow> kTable{"sum_squares", kRows};

}  // namespace

const Table<SumSquaresRow>& sum_squares_table() { return kTable; }
OpInfo sum_squares_info() { return info_of(kTable); }

}  // namespace kern::kernels
