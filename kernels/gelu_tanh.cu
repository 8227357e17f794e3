#include "kernels/common/unary.cuh"
#include "kernels/gelu_tanh.h"

namespace kern::kernels {

template UnaryRow<GeluTanh> unary_cuda_row<GeluTanh>();
template UnaryRow<GeluTanh, Bf16> unary_cuda_row<GeluTanh, Bf16>();

}  // namespace kern::kernels
