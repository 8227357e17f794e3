#include "layers/prepare.h"

#include <cstdio>

#include "kernels/common/log.h"

namespace kern {
namespace {
std::string counted(int n, const char* thing) { return text(n, " ", thing, n == 1 ? "" : "s"); }
}  // namespace

void Preparation::say() const {
  const PreparedFilters::Summary s = summary();
  if (s.made == 0) return;  // a dry run, a GPU, or a network without convolutions
  if (state_->said.exchange(true)) return;
  char mib[32];
  std::snprintf(mib, sizeof mib, "%.1f", double(s.bytes) / (1 << 20));
  inform("prepared for prediction: ", counted(s.norms, "norm"), " folded into convolutions, ",
         counted(s.activations, "activation"), " fused, ", counted(s.filters, "filter"), " packed (", mib, " MiB)");
}

AnyModule prepare(const AnyModule& network, const Preparation& preparation) {
  return network.wrapped(
      [preparation](const AnyModule::Call& call, const Tensor& x) { return preparation([&] { return call(x); }); });
}

}  // namespace kern
