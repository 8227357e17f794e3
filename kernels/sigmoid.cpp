#include "kernels/sigmoid.h"

namespace kern::kernels {

const Table<SigmoidRow>& sigmoid_table() { return unary_table<Sigmoid>("sigmoid"); }
OpInfo sigmoid_info() { return unary_info<Sigmoid>("sigmoid"); }

}  // namespace kern::kernels
