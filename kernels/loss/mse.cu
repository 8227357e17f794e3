#include "kernels/loss/mse.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template PairLossImpl<Mse> pair_loss_cuda_impl<Mse>();

}  // namespace kern::kernels
