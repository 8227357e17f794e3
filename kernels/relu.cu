#include "kernels/common/unary.cuh"
#include "kernels/relu.h"

namespace kern::kernels {

template UnaryRow<Relu> unary_cuda_row<Relu>();
template UnaryRow<Relu, Bf16> unary_cuda_row<Relu, Bf16>();

}  // namespace kern::kernels
