#include "kernels/tanh.h"

namespace kern::kernels {

const Table<TanhRow>& tanh_table() { return unary_table<Tanh>("tanh"); }
OpInfo tanh_info() { return unary_info<Tanh>("tanh"); }

}  // namespace kern::kernels
