#include "kernels/loss/huber.h"
#include "kernels/loss/pair_loss.cuh"

namespace kern::kernels {

template Implementation<PairLoss<Huber>> PairLoss<Huber>::cuda();

}  // namespace kern::kernels
