#include "kernels/softplus.h"

namespace kern::kernels {

const Table<SoftplusRow>& softplus_table() { return unary_table<Softplus>("softplus"); }
OpInfo softplus_info() { return unary_info<Softplus>("softplus"); }

}  // namespace kern::kernels
