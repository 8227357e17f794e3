#include "kernels/softmax/softmax.h"

namespace kern::kernels {

const Registry<Implementation<Softmax>>& Softmax::registry() {
  static const Implementation<Softmax> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                  reference_implementation<Softmax>()};
  static const Registry<Implementation<Softmax>> registry{kName, impls};
  return registry;
}
OpInfo softmax_info() { return info_of(Softmax::registry()); }

}  // namespace kern::kernels
