#include "kernels/scale.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Scale>();
constexpr Table<ScaleRow> kTable{"scale", kRows};
}  // namespace

const Table<ScaleRow>& scale_table() { return kTable; }
OpInfo scale_info() { return info_of(kTable); }

}  // namespace kern::kernels
