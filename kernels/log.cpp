#include "kernels/log.h"

namespace kern::kernels {

const Table<LogRow>& log_table() { return unary_table<Log>("log"); }
OpInfo log_info() { return info_of(log_table()); }

}  // namespace kern::kernels
