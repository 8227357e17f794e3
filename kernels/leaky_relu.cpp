#include "kernels/leaky_relu.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<LeakyRelu>();
constexpr Table<LeakyReluRow> kTable{"leaky_relu", kRows};
}  // namespace

const Table<LeakyReluRow>& leaky_relu_table() { return kTable; }
OpInfo leaky_relu_info() { return info_of(kTable); }

}  // namespace kern::kernels
