#include "kernels/exp.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Exp> unary_cuda_row<Exp>();

}  // namespace kern::kernels
