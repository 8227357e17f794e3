#include "kernels/elu.h"

namespace kern::kernels {

const Table<EluRow>& elu_table() { return unary_table<Elu>("elu"); }
OpInfo elu_info() { return unary_info<Elu>("elu"); }

}  // namespace kern::kernels
