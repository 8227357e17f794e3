#include "kernels/common/unary.cuh"
#include "kernels/tanh.h"

namespace kern::kernels {

template UnaryRow<Tanh> unary_cuda_row<Tanh>();

}  // namespace kern::kernels
