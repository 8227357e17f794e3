#include "kernels/gelu.h"

namespace kern::kernels {

const Table<GeluRow>& gelu_table() { return unary_table<Gelu>("gelu"); }
OpInfo gelu_info() { return unary_info<Gelu>("gelu"); }

}  // namespace kern::kernels
