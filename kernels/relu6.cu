#include "kernels/relu6.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Relu6> unary_cuda_row<Relu6>();

}  // namespace kern::kernels
