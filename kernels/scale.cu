#include "kernels/scale.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Scale> unary_cuda_row<Scale>();

}  // namespace kern::kernels
