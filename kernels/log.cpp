#include "kernels/log.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = unary_rows<Log>();
constexpr Table<LogRow> kTable{"log", kRows};
}  // namespace

const Table<LogRow>& log_table() { return kTable; }
OpInfo log_info() { return info_of(kTable); }

}  // namespace kern::kernels
