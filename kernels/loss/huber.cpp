#include "kernels/loss/huber.h"

namespace kern::kernels {

OpInfo huber_info() { return info_of(PairLoss<Huber>::registry()); }

}  // namespace kern::kernels
