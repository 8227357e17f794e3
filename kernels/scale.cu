#include "kernels/common/unary.cuh"
#include "kernels/scale.h"

namespace kern::kernels {

template UnaryRow<Scale> unary_cuda_row<Scale>();
template UnaryRow<Scale, Bf16> unary_cuda_row<Scale, Bf16>();

}  // namespace kern::kernels
