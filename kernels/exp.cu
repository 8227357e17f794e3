#include "kernels/common/unary.cuh"
#include "kernels/exp.h"

namespace kern::kernels {

template UnaryRow<Exp> unary_cuda_row<Exp>();
template UnaryRow<Exp, Bf16> unary_cuda_row<Exp, Bf16>();

}  // namespace kern::kernels
