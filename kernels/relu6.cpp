#include "kernels/relu6.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Relu6>();
constexpr Table<Relu6Row> kTable{"relu6", kRows};
}  // namespace

const Table<Relu6Row>& relu6_table() { return kTable; }
OpInfo relu6_info() { return info_of(kTable); }

}  // namespace kern::kernels
