#include "kernels/loss/l1.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template PairLossImpl<L1> pair_loss_cuda_impl<L1>();

}  // namespace kern::kernels
