#include "kernels/common/unary.cuh"
#include "kernels/elu.h"

namespace kern::kernels {

template UnaryRow<Elu> unary_cuda_row<Elu>();

}  // namespace kern::kernels
