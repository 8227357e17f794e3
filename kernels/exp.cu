#include "kernels/common/unary.cuh"
#include "kernels/exp.h"

namespace kern::kernels {

template UnaryRow<Exp> unary_cuda_row<Exp>();

}  // namespace kern::kernels
