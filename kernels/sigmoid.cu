#include "kernels/sigmoid.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Sigmoid> unary_cuda_row<Sigmoid>();

}  // namespace kern::kernels
