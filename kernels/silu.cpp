#include "kernels/silu.h"

namespace kern::kernels {

const Table<SiluRow>& silu_table() { return unary_table<Silu>("silu"); }
OpInfo silu_info() { return unary_info<Silu>("silu"); }

}  // namespace kern::kernels
