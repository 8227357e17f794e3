#include "kernels/elementwise/unary_ops.h"

#include "kernels/elementwise/unary_cpu.h"

namespace kern::kernels {

#define KERN_INSTANTIATE(Op)                         \
  template const Table<UnaryRow<Op>>& unary_table(); \
  template const Table<UnaryRow<Op, Bf16>>& unary_table();
KERN_UNARY_OPS(KERN_INSTANTIATE)
#undef KERN_INSTANTIATE

}  // namespace kern::kernels
