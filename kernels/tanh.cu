#include "kernels/tanh.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Tanh> unary_cuda_row<Tanh>();

}  // namespace kern::kernels
