#include "kernels/common/emulator/dry_run.h"

#include "kernels/common/error.h"

namespace kern::emulator {
namespace {
DryRun* only = nullptr;
}

DryRun::DryRun() {
  internal_check(!only, "a dry run of the emulated device is made inside of another");
  only = this;
}
DryRun::~DryRun() { only = nullptr; }
DryRun* DryRun::current() { return only; }

void DryRun::note(DryNode node, bool capturing) {
  if (!capturing) return;
  node.tag = tag;
  captured_.push_back(std::move(node));
}

}  // namespace kern::emulator
