#include "kernels/elu.h"

namespace kern::kernels {

const Table<EluRow>& elu_table() { return unary_table<Elu>("elu"); }
OpInfo elu_info() { return info_of(elu_table()); }

}  // namespace kern::kernels
