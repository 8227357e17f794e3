#include "kernels/common/unary.cuh"
#include "kernels/sigmoid.h"

namespace kern::kernels {

template UnaryRow<Sigmoid> unary_cuda_row<Sigmoid>();

}  // namespace kern::kernels
