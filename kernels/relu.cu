#include "kernels/common/unary.cuh"
#include "kernels/relu.h"

namespace kern::kernels {

template UnaryRow<Relu> unary_cuda_row<Relu>();

}  // namespace kern::kernels
