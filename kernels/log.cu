#include "kernels/log.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Log> unary_cuda_row<Log>();

}  // namespace kern::kernels
