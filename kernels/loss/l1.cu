#include "kernels/loss/l1.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template Implementation<PairLoss<L1>> PairLoss<L1>::cuda();

}  // namespace kern::kernels
