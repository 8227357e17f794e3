#include "kernels/exp.h"

namespace kern::kernels {

const Table<ExpRow>& exp_table() { return unary_table<Exp>("exp"); }
OpInfo exp_info() { return unary_info<Exp>("exp"); }

}  // namespace kern::kernels
