#include "kernels/common/unary.cuh"
#include "kernels/leaky_relu.h"

namespace kern::kernels {

template UnaryRow<LeakyRelu> unary_cuda_row<LeakyRelu>();

}  // namespace kern::kernels
