#include "kernels/loss/huber.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template PairLossRow<Huber> pair_loss_cuda_row<Huber>();

}  // namespace kern::kernels
