#include "kernels/common/unary.cuh"
#include "kernels/log.h"

namespace kern::kernels {

template UnaryRow<Log> unary_cuda_row<Log>();

}  // namespace kern::kernels
