#include "kernels/loss/l1.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template PairLossRow<L1> pair_loss_cuda_row<L1>();

}  // namespace kern::kernels
