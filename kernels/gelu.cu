#include "kernels/common/unary.cuh"
#include "kernels/gelu.h"

namespace kern::kernels {

template UnaryRow<Gelu> unary_cuda_row<Gelu>();
template UnaryRow<Gelu, Bf16> unary_cuda_row<Gelu, Bf16>();

}  // namespace kern::kernels
