#include "kernels/common/unary.cuh"
#include "kernels/gelu_tanh.h"

namespace kern::kernels {

template UnaryRow<GeluTanh> unary_cuda_row<GeluTanh>();

}  // namespace kern::kernels
