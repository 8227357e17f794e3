#include "kernels/tanh.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Tanh>();
constexpr Table<TanhRow> kTable{"tanh", kRows};
}  // namespace

const Table<TanhRow>& tanh_table() { return kTable; }
OpInfo tanh_info() { return info_of(kTable); }

}  // namespace kern::kernels
