#include "kernels/l1.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = pair_loss_rows<L1>();
constexpr Table<L1Row> kTable{"l1", kRows};
}  // namespace

const Table<L1Row>& l1_table() { return kTable; }
OpInfo l1_info() { return info_of(kTable); }

}  // namespace kern::kernels
