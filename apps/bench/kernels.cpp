#include "benchmarks/kernels.h"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "apps/bench/verbs.h"
#include "benchmarks/kernel_record.h"
#include "benchmarks/machine.h"
#include "kernels/common/op_list.h"
#include "kernels/common/parallel.h"
#include "kernels/common/precision.h"

namespace kern::apps {

namespace {
std::vector<std::string> impl_names() {
  std::set<std::string> names;
  for (const auto& op : kernels::op_list())
    for (const auto& impl : op.impls) names.emplace(impl.name);
  return {names.begin(), names.end()};
}

void list_rows(Device device) {
  for (const auto& op : kernels::op_list()) {
    std::string impls;
    for (const auto& impl : op.impls)
      if (impl.device == device) impls += (impls.empty() ? "" : ", ") + std::string(impl.name);
    fmt::print("{:<22} {}\n", op.op, impls.empty() ? "-" : impls);
  }
}
}  // namespace

void describe_bench_kernels(training::Schema& s, BenchKernelsConfig& c) {
  std::vector<std::string> ids;
  for (const auto& m : benchmarks::models()) ids.emplace_back(m.id);
  s.section("What is timed")
      .key("models", c.models, "whose shapes: letters of docs/benchmarks.md", training::one_of(ids))
      .key("batch", c.batch, "samples in the models' batches; 0: what is usual for each", training::at_least(0))
      .key("side", c.side, "side of their images, length of their signals; 0: what is usual for each",
           training::at_least(0))
      .key("ops", c.ops, "only these, and in this order; empty: all", training::one_of(benchmarks::timed_ops()))
      .key("implementations", c.impls, "only implementations of these names; empty: all that run here",
           training::one_of(impl_names()))
      .formerly("rows")
      .key("large", c.large, "memory-bound ops on large arrays too")
      .key("large_mib", c.large_mib, "of a large array", training::between(1, 1 << 16))
      .key("reference", c.reference, "the reference implementations too, which are slow")
      .key("list", c.list, "name the implementations of every op on that device, and time nothing");
  s.section("How")
      .choice("device", c.device, "whose implementations; auto: a GPU's where there is one",
              {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"cuda", DeviceChoice::cuda}})
      .key("repeats", c.repeats, "timed calls of each", training::at_least(1))
      .key("append", c.append,
           "file: each implementation's figures are added to it as a line of JSON when it is done; what stands there "
           "already is "
           "not timed again, nor what was begun twice without being done")
      .key("threads", c.threads, "threads; 0: all cores", training::between(0, 1024));
}

void run_bench_kernels(const BenchKernelsConfig& c, Call& call) {
  if (c.threads > 0) set_thread_count(c.threads);
  const Device device = device_of(c.device);
  if (c.list) return list_rows(device);
  if (device == Device::cuda)
    kernels::set_precision(kernels::Precision::bf16);  // its implementations and tf32's stand beside the others
  std::optional<benchmarks::KernelRecord> record;
  if (!c.append.empty()) record.emplace(c.append);
  const benchmarks::Yardstick yardstick(device);
  const auto machine = yardstick.measure();
  if (device == Device::cpu)
    fmt::print("{} threads; this machine's measured peaks: {:.1f} GFLOP/s (f32 multiply-adds), {:.1f} GB/s (copy)\n",
               thread_count(), machine.gflops, machine.copy);
  else fmt::print("{}; its measured copy: {:.1f} GB/s\n", gpu_info().name, machine.copy);
  fmt::print(
      "Shares are of what the machine gave beside the case; of the copy above where a case may fit the caches.\n");
  fmt::print("{:<16} {:<36} {:<16} {:<15} {:>9} {:>9} {:>9} {:>8} {:>6} {:>6} {:>6}\n", "op", "shape", "implementation",
             "direction", "median ms", "quartile", "quartile", "GFLOP/s", "share", "GB/s", "share");
  call.figures.add("threads", thread_count());
  call.figures.add("peak_gflops", machine.gflops);
  call.figures.add("peak_copy_gbs", machine.copy);
  benchmarks::KernelOptions options{.device = device,
                                    .models = c.models,
                                    .ops = c.ops,
                                    .impls = c.impls,
                                    .batch = c.batch,
                                    .side = c.side,
                                    .large = c.large,
                                    .reference = c.reference,
                                    .repeats = c.repeats,
                                    .large_values = int64_t{c.large_mib} << 18,
                                    .yardstick = &yardstick};
  if (record) {
    options.begin = [&](const auto&... names) { return record->begin(names...); };
    options.end = [&] { record->end(); };
  }
  benchmarks::time_kernels(options, [&](const benchmarks::KernelResult& r) {
    const double seconds = r.milliseconds.median * 1e-3, gflops = r.flops / seconds * 1e-9,
                 gbs = r.bytes / seconds * 1e-9, copy = r.machine.copy > 0 ? r.machine.copy : machine.copy;
    const std::string share =
        r.machine.gflops > 0 ? fmt::format("{:.0f}%", 100 * gflops / r.machine.gflops) : std::string("-");
    fmt::print("{:<16} {:<36} {:<16} {:<15} {:>9.4f} {:>9.4f} {:>9.4f} {:>8.1f} {:>6} {:>6.1f} {:>5.0f}%\n", r.op,
               r.shape, r.impl, r.direction, r.milliseconds.median, r.milliseconds.lower, r.milliseconds.upper, gflops,
               share, gbs, 100 * gbs / copy);
    std::fflush(stdout);
    if (record) record->add(r, copy);
    const std::string name = fmt::format("{}|{}|{}|{}", r.op, r.shape, r.impl, r.direction);
    call.figures.add(name + "|median_ms", r.milliseconds.median);
    call.figures.add(name + "|gflops", gflops);
    call.figures.add(name + "|gbs", gbs);
    call.figures.add(name + "|peak_gflops", r.machine.gflops);
    call.figures.add(name + "|peak_copy_gbs", copy);
  });
  if (record && record->left_out() > 0)
    fmt::print("{} implementations stood in {} already, or had been begun twice and never ended.\n", record->left_out(),
               c.append);
}

}  // namespace kern::apps
