#include "kernels/silu.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Silu>();
constexpr Table<SiluRow> kTable{"silu", kRows};
}  // namespace

const Table<SiluRow>& silu_table() { return kTable; }
OpInfo silu_info() { return info_of(kTable); }

}  // namespace kern::kernels
