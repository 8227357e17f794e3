#include "benchmarks/ledger.h"

#include <algorithm>

#include "benchmarks/entry_log.h"
#include "benchmarks/steps.h"
#include "engine/capture.h"
#include "engine/memory.h"
#ifdef KERN_CUDA_EMULATED
#include "kernels/common/emulator/dry_run.h"
#endif

namespace kern::benchmarks {

int Ledger::count(const std::string& kind) const {
  return int(std::count_if(nodes.begin(), nodes.end(), [&](const LedgerNode& n) { return n.kind == kind; }));
}

#ifdef KERN_CUDA_EMULATED
namespace {

using emulator::DryNode;

// "(conv2d_mma_kernel<kDepth, kChannels>)" is conv2d_mma_kernel.
std::string without_arguments(std::string_view name) {
  if (name.starts_with('(')) name.remove_prefix(1);
  return std::string(name.substr(0, name.find_first_of("<)")));
}
double threads_of(const LedgerNode& n) {
  double threads = 1;
  for (int i = 0; i < 3; ++i) threads *= double(n.grid[i]) * n.block[i];
  return threads;
}
// What products on this row can reach: our implementations on tensor cores say so in their names.
double rate_of(std::string_view row, const GpuRates& rates) {
  if (row == "cuda_mma") return rates.tf32 / 3;  // floats in two parts: three products for one
  if (row == "cuda_tf32") return rates.tf32;
  return row == "cuda_bf16" || row == "cuda_mma_bf16" || row == "cuda_wgmma_bf16" ? rates.bf16 : rates.f32;
}
LedgerNode node_of(const DryNode& from) {
  constexpr const char* kKinds[] = {"kernel", "fill", "copy", "library"};
  LedgerNode to{.kind = kKinds[int(from.kind)],
                .kernel = without_arguments(from.name),
                .grid = {from.grid.x, from.grid.y, from.grid.z},
                .block = {from.block.x, from.block.y, from.block.z},
                .shared_bytes = from.shared_bytes};
  if (from.tag < 0) to.bytes = double(from.bytes);
  return to;
}

struct Settings {  // as they were, when a ledger is made
  kernels::Precision precision = kernels::precision();
  bool graphs = graphs_enabled();
  ~Settings() {
    kernels::set_precision(precision);
    set_graphs(graphs);
    release_unused_memory(Device::cuda);  // the dry run's blocks hold nothing
  }
};

}  // namespace

bool ledger_available() { return true; }

Ledger ledger_of(const std::string& model, kernels::Precision precision, int batch, const GpuRates& rates) {
  wait_for(Device::cuda);
  release_unused_memory(Device::cuda);  // what real work left may not be taken for a dry run's
  const Settings restored;
  kernels::set_precision(precision);
  set_graphs(true);
  emulator::DryRun dry;
  const EntryLog log([&](int call) { dry.tag = call; });
  run_steps(model_of(model), {.device = Device::cuda, .batch = batch}, 2);

  Ledger ledger;
  for (const DryNode& node : dry.captured()) ledger.nodes.push_back(node_of(node));
  for (size_t first = 0; first < ledger.nodes.size();) {
    const int call = dry.captured()[first].tag;
    size_t last = first + 1;
    double most = threads_of(ledger.nodes[first]);
    for (; call >= 0 && last < ledger.nodes.size() && dry.captured()[last].tag == call; ++last)
      most = std::max(most, threads_of(ledger.nodes[last]));
    bool carried = call < 0;
    for (size_t i = first; call >= 0 && i < last; ++i) {
      const EntryCall& of = log.calls()[size_t(call)];
      LedgerNode& node = ledger.nodes[i];
      node.op = of.op, node.entry = of.entry, node.impl = of.impl;
      if (!carried && 2 * threads_of(node) >= most) node.flops = of.flops, node.bytes = of.bytes, carried = true;
    }
    first = last;
  }
  double seconds = 0;
  for (LedgerNode& node : ledger.nodes) {
    node.rate = rate_of(node.impl, rates);
    ledger.flops += node.flops, ledger.bytes += node.bytes;
    seconds += std::max(node.bytes / rates.bytes, node.flops / node.rate) + rates.node;
  }
  ledger.milliseconds = 1e3 * seconds;
  return ledger;
}

#else

bool ledger_available() { return false; }
Ledger ledger_of(const std::string& model, kernels::Precision, int, const GpuRates&) {
  throw Error(text("the ledger of model ", model,
                   " needs the emulated device, on which a step is recorded and not computed; this build has none: "
                   "build with KERN_CUDA=EMULATED (cmake --preset emulated)"));
}

#endif

}  // namespace kern::benchmarks
