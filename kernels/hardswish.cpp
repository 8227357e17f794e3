#include "kernels/hardswish.h"

namespace kern::kernels {

const Table<HardswishRow>& hardswish_table() { return unary_table<Hardswish>("hardswish"); }
OpInfo hardswish_info() { return unary_info<Hardswish>("hardswish"); }

}  // namespace kern::kernels
