#include "kernels/common/unary.cuh"
#include "kernels/silu.h"

namespace kern::kernels {

template UnaryRow<Silu> unary_cuda_row<Silu>();

}  // namespace kern::kernels
