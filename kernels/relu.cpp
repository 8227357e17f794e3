#include "kernels/relu.h"

namespace kern::kernels {

const Table<ReluRow>& relu_table() { return unary_table<Relu>("relu"); }
OpInfo relu_info() { return info_of(relu_table()); }

}  // namespace kern::kernels
