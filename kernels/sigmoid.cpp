#include "kernels/sigmoid.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Sigmoid>();
constexpr Table<SigmoidRow> kTable{"sigmoid", kRows};
}  // namespace

const Table<SigmoidRow>& sigmoid_table() { return kTable; }
OpInfo sigmoid_info() { return info_of(kTable); }

}  // namespace kern::kernels
