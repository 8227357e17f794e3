#include "kernels/gelu_tanh.h"

namespace kern::kernels {

const Table<GeluTanhRow>& gelu_tanh_table() { return unary_table<GeluTanh>("gelu_tanh"); }
OpInfo gelu_tanh_info() { return unary_info<GeluTanh>("gelu_tanh"); }

}  // namespace kern::kernels
