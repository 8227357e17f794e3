#include "kernels/common/unary.cuh"
#include "kernels/gelu.h"

namespace kern::kernels {

template UnaryRow<Gelu> unary_cuda_row<Gelu>();

}  // namespace kern::kernels
