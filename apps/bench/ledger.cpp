#include "benchmarks/ledger.h"

#include <fmt/format.h>

#include "apps/bench/verbs.h"
#include "benchmarks/models.h"

namespace kern::apps {

void describe_bench_ledger(training::Schema& s, BenchLedgerConfig& c) {
  s.section("What is written down")
      .key("models", c.models, "letters of docs/benchmarks.md", training::one_of([] {
             std::vector<std::string> ids;
             for (const auto& m : benchmarks::models()) ids.emplace_back(m.id);
             return ids;
           }()))
      .choice(
          "precision", c.precision, "as trainings have it",
          {{"f32", kernels::Precision::f32}, {"tf32", kernels::Precision::tf32}, {"bf16", kernels::Precision::bf16}})
      .key("batch", c.batch, "samples in a batch; 0: what is usual for the model", training::at_least(0))
      .key("nodes", c.nodes, "every node of the graph, not only the sums");
}

void run_bench_ledger(const BenchLedgerConfig& c, Call& call) {
  const benchmarks::GpuRates rates;
  fmt::print(
      "A training step (forward, loss, backward, Adam) as a graph, in {}: nothing is computed or timed. Projected: the "
      "sum over nodes of\nmax(bytes / {:.1f} TB/s, flops / rate) + {:.1f} us; rates in TFLOP/s: {:.0f} without tensor "
      "cores, with them {:.0f} in bf16, {:.0f} in tf32 and a third\nof that for floats in two parts. Bytes are the "
      "least that an op moves: each array once, a norm over a batch reads its input twice.\n",
      kernels::name_of(c.precision), rates.bytes * 1e-12, rates.node * 1e6, rates.f32 * 1e-12, rates.bf16 * 1e-12,
      rates.tf32 * 1e-12);
  call.figures.add("precision", std::string(kernels::name_of(c.precision)));
  if (!c.nodes)
    fmt::print("{:<10} {:>6} {:>8} {:>6} {:>6} {:>10} {:>10} {:>10}\n", "id", "nodes", "kernels", "fills", "copies",
               "MB", "GFLOP", "ms");
  for (const std::string& id : c.models) {
    const benchmarks::Ledger ledger = benchmarks::ledger_of(id, c.precision, c.batch);
    if (c.nodes) {
      fmt::print("{}\n  {:<36} {:>16} {:>5} {:>8} {:<34} {:<18} {:>10} {:>9}\n", id, "node", "grid", "block", "shared",
                 "op and direction", "implementation", "kB", "MFLOP");
      for (const auto& n : ledger.nodes)
        fmt::print("  {:<36} {:>16} {:>5} {:>8} {:<34} {:<18} {:>10.1f} {:>9.1f}\n", n.kernel,
                   n.kind == "kernel" ? fmt::format("{}x{}x{}", n.grid[0], n.grid[1], n.grid[2]) : std::string(),
                   n.block[0] * n.block[1] * n.block[2], n.shared_bytes, n.op + (n.op.empty() ? "" : " ") + n.entry,
                   n.impl, n.bytes * 1e-3, n.flops * 1e-6);
      fmt::print("{:<10} {:>6} {:>8} {:>6} {:>6} {:>10} {:>10} {:>10}\n", "id", "nodes", "kernels", "fills", "copies",
                 "MB", "GFLOP", "ms");
    }
    fmt::print("{:<10} {:>6} {:>8} {:>6} {:>6} {:>10.1f} {:>10.2f} {:>10.3f}\n", id, ledger.nodes.size(),
               ledger.count("kernel"), ledger.count("fill"), ledger.count("copy"), ledger.bytes * 1e-6,
               ledger.flops * 1e-9, ledger.milliseconds);
    std::fflush(stdout);
    call.figures.add(id + ".nodes", int64_t(ledger.nodes.size()));
    call.figures.add(id + ".kernels", ledger.count("kernel"));
    call.figures.add(id + ".fills", ledger.count("fill"));
    call.figures.add(id + ".copies", ledger.count("copy"));
    call.figures.add(id + ".bytes", ledger.bytes);
    call.figures.add(id + ".flops", ledger.flops);
    call.figures.add(id + ".projected_ms", ledger.milliseconds);
  }
}

}  // namespace kern::apps
