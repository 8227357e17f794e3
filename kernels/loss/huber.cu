#include "kernels/loss/huber.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template PairLossImpl<Huber> pair_loss_cuda_impl<Huber>();

}  // namespace kern::kernels
