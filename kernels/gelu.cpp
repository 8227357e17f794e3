#include "kernels/gelu.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Gelu>();
constexpr Table<GeluRow> kTable{"gelu", kRows};
}  // namespace

const Table<GeluRow>& gelu_table() { return kTable; }
OpInfo gelu_info() { return info_of(kTable); }

}  // namespace kern::kernels
