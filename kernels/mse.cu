#include "kernels/mse.h"

#include "kernels/common/pair_loss.cuh"

namespace kern::kernels {

template PairLossRow<Mse> pair_loss_cuda_row<Mse>();

}  // namespace kern::kernels
