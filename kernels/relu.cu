#include "kernels/relu.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Relu> unary_cuda_row<Relu>();

}  // namespace kern::kernels
