#include "kernels/loss/mse.h"

namespace kern::kernels {

const Registry<MseImpl>& mse_registry() { return pair_loss_registry<Mse>("mse"); }
OpInfo mse_info() { return info_of(mse_registry()); }

}  // namespace kern::kernels
