#include "kernels/huber.h"

namespace kern::kernels {
namespace {
constexpr auto kRows = pair_loss_rows<Huber>();
constexpr Table<HuberRow> kTable{"huber", kRows};
}  // namespace

const Table<HuberRow>& huber_table() { return kTable; }
OpInfo huber_info() { return info_of(kTable); }

}  // namespace kern::kernels
