#include "kernels/elementwise/unary.cuh"
#include "kernels/elementwise/unary_ops.h"

namespace kern::kernels {

#define KERN_INSTANTIATE(Op)                         \
  template UnaryRow<Op> unary_cuda_row<Op, float>(); \
  template UnaryRow<Op, Bf16> unary_cuda_row<Op, Bf16>();
KERN_UNARY_OPS(KERN_INSTANTIATE)
#undef KERN_INSTANTIATE

}  // namespace kern::kernels
