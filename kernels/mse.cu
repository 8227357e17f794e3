#include "kernels/common/pair_loss.cuh"
#include "kernels/mse.h"

namespace kern::kernels {

template PairLossRow<Mse> pair_loss_cuda_row<Mse>();

}  // namespace kern::kernels
