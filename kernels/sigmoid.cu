#include "kernels/common/unary.cuh"
#include "kernels/sigmoid.h"

namespace kern::kernels {

template UnaryRow<Sigmoid> unary_cuda_row<Sigmoid>();
template UnaryRow<Sigmoid, Bf16> unary_cuda_row<Sigmoid, Bf16>();

}  // namespace kern::kernels
