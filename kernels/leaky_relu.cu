#include "kernels/common/unary.cuh"
#include "kernels/leaky_relu.h"

namespace kern::kernels {

template UnaryRow<LeakyRelu> unary_cuda_row<LeakyRelu>();
template UnaryRow<LeakyRelu, Bf16> unary_cuda_row<LeakyRelu, Bf16>();

}  // namespace kern::kernels
