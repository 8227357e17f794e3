#include "kernels/hardswish.h"

namespace kern::kernels {

const Table<HardswishRow>& hardswish_table() { return unary_table<Hardswish>("hardswish"); }
OpInfo hardswish_info() { return info_of(hardswish_table()); }

}  // namespace kern::kernels
