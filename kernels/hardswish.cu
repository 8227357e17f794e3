#include "kernels/common/unary.cuh"
#include "kernels/hardswish.h"

namespace kern::kernels {

template UnaryRow<Hardswish> unary_cuda_row<Hardswish>();
template UnaryRow<Hardswish, Bf16> unary_cuda_row<Hardswish, Bf16>();

}  // namespace kern::kernels
