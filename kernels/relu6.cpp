#include "kernels/relu6.h"

namespace kern::kernels {

const Table<Relu6Row>& relu6_table() { return unary_table<Relu6>("relu6"); }
OpInfo relu6_info() { return info_of(relu6_table()); }

}  // namespace kern::kernels
