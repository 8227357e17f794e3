#include "kernels/loss/mse.h"

namespace kern::kernels {

const Table<MseRow>& mse_table() { return pair_loss_table<Mse>("mse"); }
OpInfo mse_info() { return info_of(mse_table()); }

}  // namespace kern::kernels
