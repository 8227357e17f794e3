#include "kernels/common/unary.cuh"
#include "kernels/softplus.h"

namespace kern::kernels {

template UnaryRow<Softplus> unary_cuda_row<Softplus>();

}  // namespace kern::kernels
