#include "kernels/loss/mse.h"

namespace kern::kernels {

OpInfo mse_info() { return info_of(PairLoss<Mse>::registry()); }

}  // namespace kern::kernels
