#include "kernels/common/unary.cuh"
#include "kernels/tanh.h"

namespace kern::kernels {

template UnaryRow<Tanh> unary_cuda_row<Tanh>();
template UnaryRow<Tanh, Bf16> unary_cuda_row<Tanh, Bf16>();

}  // namespace kern::kernels
