#include "kernels/common/unary.cuh"
#include "kernels/elu.h"

namespace kern::kernels {

template UnaryRow<Elu> unary_cuda_row<Elu>();
template UnaryRow<Elu, Bf16> unary_cuda_row<Elu, Bf16>();

}  // namespace kern::kernels
