#include "kernels/loss/mse.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template PairLossRow<Mse> pair_loss_cuda_row<Mse>();

}  // namespace kern::kernels
