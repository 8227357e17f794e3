#include "kernels/leaky_relu.h"

namespace kern::kernels {

const Table<LeakyReluRow>& leaky_relu_table() { return unary_table<LeakyRelu>("leaky_relu"); }
OpInfo leaky_relu_info() { return unary_info<LeakyRelu>("leaky_relu"); }

}  // namespace kern::kernels
