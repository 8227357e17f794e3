#include "kernels/scale.h"

namespace kern::kernels {
namespace {
constexpr ScaleRow kRows[] = {unary_cpu_row<Scale>(), unary_reference_row<Scale>()};
constexpr Table<ScaleRow> kTable{"scale", kRows};
}  // namespace

const Table<ScaleRow>& scale_table() { return kTable; }
OpInfo scale_info() { return info_of(kTable); }

}  // namespace kern::kernels
