#include "kernels/elementwise/prelu.h"

namespace kern::kernels {

const Registry<Implementation<Prelu>>& Prelu::registry() {
  static const Implementation<Prelu> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                reference_implementation<Prelu>()};
  static const Registry<Implementation<Prelu>> registry{kName, impls};
  return registry;
}
OpInfo prelu_info() { return info_of(Prelu::registry()); }

}  // namespace kern::kernels
