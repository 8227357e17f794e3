#include "kernels/loss/l1.h"

namespace kern::kernels {

const Table<L1Row>& l1_table() { return pair_loss_table<L1>("l1"); }
OpInfo l1_info() { return info_of(l1_table()); }

}  // namespace kern::kernels
