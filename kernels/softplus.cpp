#include "kernels/softplus.h"

namespace kern::kernels {

const Table<SoftplusRow>& softplus_table() { return unary_table<Softplus>("softplus"); }
OpInfo softplus_info() { return info_of(softplus_table()); }

}  // namespace kern::kernels
