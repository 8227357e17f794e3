#include "kernels/gelu.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Gelu> unary_cuda_row<Gelu>();

}  // namespace kern::kernels
