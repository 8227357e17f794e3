#include "kernels/norm/group_norm.h"

namespace kern::kernels {

const Registry<Implementation<GroupNorm>>& GroupNorm::registry() {
  static const Implementation<GroupNorm> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                    reference_implementation<GroupNorm>()};
  static const Registry<Implementation<GroupNorm>> registry{kName, impls};
  return registry;
}
OpInfo group_norm_info() { return info_of(GroupNorm::registry()); }

}  // namespace kern::kernels
