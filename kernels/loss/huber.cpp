#include "kernels/loss/huber.h"

namespace kern::kernels {

const Table<HuberRow>& huber_table() { return pair_loss_table<Huber>("huber"); }
OpInfo huber_info() { return info_of(huber_table()); }

}  // namespace kern::kernels
