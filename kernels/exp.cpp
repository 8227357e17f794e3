#include "kernels/exp.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Exp>();
constexpr Table<ExpRow> kTable{"exp", kRows};
}  // namespace

const Table<ExpRow>& exp_table() { return kTable; }
OpInfo exp_info() { return info_of(kTable); }

}  // namespace kern::kernels
