#include "kernels/mse.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = pair_loss_rows<Mse>();
constexpr Table<MseRow> kTable{"mse", kRows};
}  // namespace

const Table<MseRow>& mse_table() { return kTable; }
OpInfo mse_info() { return info_of(kTable); }

}  // namespace kern::kernels
