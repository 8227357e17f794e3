#include "kernels/leaky_relu.h"

namespace kern::kernels {

const Table<LeakyReluRow>& leaky_relu_table() { return unary_table<LeakyRelu>("leaky_relu"); }
OpInfo leaky_relu_info() { return info_of(leaky_relu_table()); }

}  // namespace kern::kernels
