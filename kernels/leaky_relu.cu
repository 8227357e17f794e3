#include "kernels/leaky_relu.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<LeakyRelu> unary_cuda_row<LeakyRelu>();

}  // namespace kern::kernels
