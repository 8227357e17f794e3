#include "kernels/gelu_tanh.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<GeluTanh>();
constexpr Table<GeluTanhRow> kTable{"gelu_tanh", kRows};
}  // namespace

const Table<GeluTanhRow>& gelu_tanh_table() { return kTable; }
OpInfo gelu_tanh_info() { return info_of(kTable); }

}  // namespace kern::kernels
