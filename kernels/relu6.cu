#include "kernels/common/unary.cuh"
#include "kernels/relu6.h"

namespace kern::kernels {

template UnaryRow<Relu6> unary_cuda_row<Relu6>();
template UnaryRow<Relu6, Bf16> unary_cuda_row<Relu6, Bf16>();

}  // namespace kern::kernels
