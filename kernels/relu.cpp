#include "kernels/relu.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Relu>();
constexpr Table<ReluRow> kTable{"relu", kRows};
}  // namespace

const Table<ReluRow>& relu_table() { return kTable; }
OpInfo relu_info() { return info_of(kTable); }

}  // namespace kern::kernels
