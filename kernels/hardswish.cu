#include "kernels/common/unary.cuh"
#include "kernels/hardswish.h"

namespace kern::kernels {

template UnaryRow<Hardswish> unary_cuda_row<Hardswish>();

}  // namespace kern::kernels
