#include "kernels/log.h"

namespace kern::kernels {

const Table<LogRow>& log_table() { return unary_table<Log>("log"); }
OpInfo log_info() { return unary_info<Log>("log"); }

}  // namespace kern::kernels
