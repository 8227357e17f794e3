#include "kernels/softmax/log_softmax.h"

namespace kern::kernels {

const Registry<Implementation<LogSoftmax>>& LogSoftmax::registry() {
  static const Implementation<LogSoftmax> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                     reference_implementation<LogSoftmax>()};
  static const Registry<Implementation<LogSoftmax>> registry{kName, impls};
  return registry;
}
OpInfo log_softmax_info() { return info_of(LogSoftmax::registry()); }

}  // namespace kern::kernels
