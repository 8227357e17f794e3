#include "kernels/gelu_tanh.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<GeluTanh> unary_cuda_row<GeluTanh>();

}  // namespace kern::kernels
