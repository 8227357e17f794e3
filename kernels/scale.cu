#include "kernels/common/unary.cuh"
#include "kernels/scale.h"

namespace kern::kernels {

template UnaryRow<Scale> unary_cuda_row<Scale>();

}  // namespace kern::kernels
