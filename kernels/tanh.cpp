#include "kernels/tanh.h"

namespace kern::kernels {

const Table<TanhRow>& tanh_table() { return unary_table<Tanh>("tanh"); }
OpInfo tanh_info() { return info_of(tanh_table()); }

}  // namespace kern::kernels
