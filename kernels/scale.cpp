#include "kernels/scale.h"

namespace kern::kernels {

const Table<ScaleRow>& scale_table() { return unary_table<Scale>("scale"); }
OpInfo scale_info() { return info_of(scale_table()); }

}  // namespace kern::kernels
