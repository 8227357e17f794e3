#include "kernels/silu.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Silu> unary_cuda_row<Silu>();

}  // namespace kern::kernels
