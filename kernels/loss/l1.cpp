#include "kernels/loss/l1.h"

namespace kern::kernels {

OpInfo l1_info() { return info_of(PairLoss<L1>::registry()); }

}  // namespace kern::kernels
