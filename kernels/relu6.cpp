#include "kernels/relu6.h"

namespace kern::kernels {

const Table<Relu6Row>& relu6_table() { return unary_table<Relu6>("relu6"); }
OpInfo relu6_info() { return unary_info<Relu6>("relu6"); }

}  // namespace kern::kernels
