// The ledger of a training step on a GPU, from a dry run of the emulated device (kernels/common/emulator/dry_run.h):
// every node of its graph with what it must compute and move, and from that the time that a real GPU would need at
// least. It takes no GPU and no patience: the host's code runs, no kernel does.
#pragma once
#include <string>
#include <vector>

#include "kernels/common/precision.h"

namespace kern::benchmarks {

// What the projection takes for granted: an H100's memory as a copy reaches it, products as tensor cores reach them,
// and what a node of a graph costs beside its work.
struct GpuRates {
  double bytes = 3.0e12;                             // a second
  double f32 = 60e12, tf32 = 395e12, bf16 = 790e12;  // flops a second: without tensor cores, and with them
  double node = 0.8e-6;                              // seconds
};

struct LedgerNode {
  std::string kind;    // kernel, fill, copy or library
  std::string kernel;  // its name without template arguments
  unsigned grid[3] = {}, block[3] = {};
  size_t shared_bytes = 0;      // dynamic
  std::string op, entry, impl;  // of the call that it belongs to; empty where none is known
  // Of the whole call, at its first node with at least half of the most threads; its others have none. A fill or copy
  // outside of any call has its own.
  double flops = 0, bytes = 0;
  double rate = 0;  // flops a second that the projection reckons with
};
struct Ledger {
  std::vector<LedgerNode> nodes;
  double flops = 0, bytes = 0, milliseconds = 0;  // milliseconds: the sum of max(bytes / rate, flops / rate) + a node's
  int count(const std::string& kind) const;
};

bool ledger_available();
// Of one step of a model (benchmarks/models.h): forward, loss, backward, Adam. batch 0: what is usual for it.
// Error where this build has no emulated device.
Ledger ledger_of(const std::string& model, kernels::Precision precision, int batch = 0, const GpuRates& rates = {});

}  // namespace kern::benchmarks
