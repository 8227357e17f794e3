#include "kernels/softplus.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Softplus> unary_cuda_row<Softplus>();

}  // namespace kern::kernels
