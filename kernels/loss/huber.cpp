#include "kernels/loss/huber.h"

namespace kern::kernels {

const Registry<HuberImpl>& huber_registry() { return pair_loss_registry<Huber>("huber"); }
OpInfo huber_info() { return info_of(huber_registry()); }

}  // namespace kern::kernels
