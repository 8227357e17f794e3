#include "kernels/gelu_tanh.h"

namespace kern::kernels {

const Table<GeluTanhRow>& gelu_tanh_table() { return unary_table<GeluTanh>("gelu_tanh"); }
OpInfo gelu_tanh_info() { return info_of(gelu_tanh_table()); }

}  // namespace kern::kernels
