#include "kernels/loss/mse.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template Implementation<PairLoss<Mse>> PairLoss<Mse>::cuda();

}  // namespace kern::kernels
