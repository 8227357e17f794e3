#include "kernels/common/unary.cuh"
#include "kernels/log.h"

namespace kern::kernels {

template UnaryRow<Log> unary_cuda_row<Log>();
template UnaryRow<Log, Bf16> unary_cuda_row<Log, Bf16>();

}  // namespace kern::kernels
