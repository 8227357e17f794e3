#include "kernels/softplus.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Softplus>();
constexpr Table<SoftplusRow> kTable{"softplus", kRows};
}  // namespace

const Table<SoftplusRow>& softplus_table() { return kTable; }
OpInfo softplus_info() { return info_of(kTable); }

}  // namespace kern::kernels
