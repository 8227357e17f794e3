#include "kernels/scale.h"

namespace kern::kernels {

const Table<ScaleRow>& scale_table() { return unary_table<Scale>("scale"); }
OpInfo scale_info() { return unary_info<Scale>("scale"); }

}  // namespace kern::kernels
