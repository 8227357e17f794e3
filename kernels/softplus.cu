#include "kernels/common/unary.cuh"
#include "kernels/softplus.h"

namespace kern::kernels {

template UnaryRow<Softplus> unary_cuda_row<Softplus>();
template UnaryRow<Softplus, Bf16> unary_cuda_row<Softplus, Bf16>();

}  // namespace kern::kernels
