#include "kernels/common/unary.cuh"
#include "kernels/silu.h"

namespace kern::kernels {

template UnaryRow<Silu> unary_cuda_row<Silu>();
template UnaryRow<Silu, Bf16> unary_cuda_row<Silu, Bf16>();

}  // namespace kern::kernels
