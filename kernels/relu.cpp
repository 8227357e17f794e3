#include "kernels/relu.h"

namespace kern::kernels {

const Table<ReluRow>& relu_table() { return unary_table<Relu>("relu"); }
OpInfo relu_info() { return unary_info<Relu>("relu"); }

}  // namespace kern::kernels
