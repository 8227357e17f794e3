#include "kernels/common/pair_loss.cuh"
#include "kernels/huber.h"

namespace kern::kernels {

template PairLossRow<Huber> pair_loss_cuda_row<Huber>();

}  // namespace kern::kernels
