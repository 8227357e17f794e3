#include "kernels/leaky_relu.h"

namespace kern::kernels {
namespace {
constexpr LeakyReluRow kRows[] = {unary_cpu_row<LeakyRelu>(), unary_reference_row<LeakyRelu>()};
constexpr Table<LeakyReluRow> kTable{"leaky_relu", kRows};
}  // namespace

const Table<LeakyReluRow>& leaky_relu_table() { return kTable; }
OpInfo leaky_relu_info() { return info_of(kTable); }

}  // namespace kern::kernels
