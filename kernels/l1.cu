#include "kernels/common/pair_loss.cuh"
#include "kernels/l1.h"

namespace kern::kernels {

template PairLossRow<L1> pair_loss_cuda_row<L1>();

}  // namespace kern::kernels
