#include "kernels/elu.h"

#include "kernels/common/unary.cuh"

namespace kern::kernels {

template UnaryRow<Elu> unary_cuda_row<Elu>();

}  // namespace kern::kernels
