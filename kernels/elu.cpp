#include "kernels/elu.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Elu>();
constexpr Table<EluRow> kTable{"elu", kRows};
}  // namespace

const Table<EluRow>& elu_table() { return kTable; }
OpInfo elu_info() { return info_of(kTable); }

}  // namespace kern::kernels
