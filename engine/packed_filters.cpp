#include "engine/packed_filters.h"

#include <algorithm>
#include <utility>

#include "engine/dry_run.h"

namespace kern {
namespace {
thread_local PackedFilters* innermost = nullptr;
}

PackedFilters::Scope::Scope(PackedFilters& filters) : before_(std::exchange(innermost, &filters)) {}
PackedFilters::Scope::~Scope() { innermost = before_; }

kernels::PackedFilter PackedFilters::of(const Tensor& w, const kernels::FilterPacking& packing) {
  if (!innermost || !packing || !w.is_leaf() || !w.dense()) return {};
  const auto found = std::find_if(innermost->all_.begin(), innermost->all_.end(), [&](const One& one) {
    return one.w.impl().version == w.impl().version && one.w.data() == w.data() && one.packing == packing;
  });
  if (found == innermost->all_.end()) {
    innermost->all_.push_back({w.detach(), packing, nullptr});
    if (in_dry_run()) innermost->allocate();  // a dry run's steps are not recorded, but count as if they were
    return {};
  }
  if (!innermost->packed_ || !found->memory || found->version != w.version()) return {};
  return {packing, found->memory->data()};
}

void PackedFilters::allocate() {
  for (One& one : all_)
    if (!one.memory) one.memory = std::make_unique<Storage>(one.w.device(), one.packing.bytes());
}

void PackedFilters::pack() {
  std::vector<kernels::FilterToPack> filters;
  for (One& one : all_) {
    if (!one.memory) continue;
    filters.push_back({one.packing, one.w.data(), one.memory->data()});
    one.version = one.w.version();
  }
#ifdef KERN_CUDA
  kernels::pack_filters({}, filters);
#endif
  packed_ = true;
}

}  // namespace kern
