#include "kernels/loss/l1.h"

namespace kern::kernels {

const Registry<L1Impl>& l1_registry() { return pair_loss_registry<L1>("l1"); }
OpInfo l1_info() { return info_of(l1_registry()); }

}  // namespace kern::kernels
