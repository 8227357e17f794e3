#include "kernels/silu.h"

namespace kern::kernels {

const Table<SiluRow>& silu_table() { return unary_table<Silu>("silu"); }
OpInfo silu_info() { return info_of(silu_table()); }

}  // namespace kern::kernels
