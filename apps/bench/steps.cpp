#include "benchmarks/steps.h"

#include <fmt/format.h>

#include "apps/bench/verbs.h"
#include "engine/tuner.h"
#include "kernels/common/parallel.h"

namespace kern::apps {

void describe_bench_steps(training::Schema& s, BenchStepsConfig& c) {
  s.section("What is timed")
      .key("models", c.models, "letters of docs/benchmarks.md", training::one_of([] {
             std::vector<std::string> ids;
             for (const auto& m : benchmarks::models()) ids.emplace_back(m.id);
             return ids;
           }()))
      .key("mode", c.mode, "train: forward, loss, backward, Adam; predict: forward without gradients",
           training::one_of({"train", "predict"}))
      .key("prepared", c.prepared, "with mode=predict: norms folded in and filters packed once, as every app predicts")
      .key("batch", c.batch, "samples in a batch; 0: what is usual for the model", training::at_least(0))
      .key("side", c.side, "an image's or a volume's side or a signal's length; 0: what is usual for the model",
           training::at_least(0));
  s.section("How")
      .key("warmup", c.warmup, "steps before the timing; at least 2", training::at_least(2))
      .key("repeats", c.repeats, "timed blocks of steps", training::at_least(1))
      .key("block", c.block,
           "steps between two looks at the clock, of which the last one's loss alone is waited for: a step then costs "
           "what it does in a training",
           training::at_least(1))
      .choice("device", c.device, "where to compute; auto: on a GPU where there is one",
              {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"cuda", DeviceChoice::cuda}})
      .choice(
          "precision", c.precision, "on a GPU, as trainings have it",
          {{"f32", kernels::Precision::f32}, {"tf32", kernels::Precision::tf32}, {"bf16", kernels::Precision::bf16}})
      .key("seed", c.seed, "of the weights and of dropout", training::at_least(0))
      .key("threads", c.threads, "threads; 0: all cores", training::between(0, 1024))
      .key("tune", c.tune,
           "choose implementations by measuring: auto (what KERN_TUNE says, else on for a GPU and off for the CPU), "
           "off, "
           "on, or only:conv2d,linear")
      .key("profile", c.profile, "show time and bytes by op")
      .key("by_shape", c.by_shape, "with profile: a row per op and output shape");
}

void run_bench_steps(const BenchStepsConfig& c, Call& call) {
  if (c.threads > 0) set_thread_count(c.threads);
  kernels::set_precision(c.precision);
  set_tuning(c.tune, device_of(c.device));
  fmt::print(
      "{} steps, {} threads, {}. Milliseconds of a step; memory of tensors and scratch in MiB: foreseen, measured.\n",
      c.mode, thread_count(),
      kernels::name_of(device_of(c.device) == Device::cpu ? kernels::Precision::f32 : c.precision));
  fmt::print("{:<10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6} {:>9}\n", "id", "parameters", "median",
             "quartile", "quartile", "least", "foreseen", "peak MiB", "allocs", "loss");
  call.figures.add("mode", c.mode);
  call.figures.add("precision", std::string(kernels::name_of(c.precision)));
  call.figures.add("threads", thread_count());
  for (const std::string& id : c.models) {
    const auto r = benchmarks::time_steps(benchmarks::model_of(id), {.device = device_of(c.device),
                                                                     .batch = c.batch,
                                                                     .side = c.side,
                                                                     .warmup = c.warmup,
                                                                     .repeats = c.repeats,
                                                                     .block = c.block,
                                                                     .seed = c.seed,
                                                                     .predict = c.mode == "predict",
                                                                     .prepared = c.prepared,
                                                                     .profile = c.profile,
                                                                     .by_shape = c.by_shape});
    const auto q = benchmarks::quartiles(r.milliseconds);
    const double foreseen = double(r.foreseen_bytes) / (1 << 20), peak = double(r.peak_bytes) / (1 << 20);
    fmt::print("{:<10} {:>10} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.1f} {:>9.1f} {:>6} {:>9}\n", r.id, r.parameters,
               q.median, q.lower, q.upper, q.least, foreseen, peak, r.late_allocations,
               c.mode == "train" ? fmt::format("{:.5f}", r.loss) : "-");
    std::fflush(stdout);
    if (c.mode == "train") call.figures.add(id + ".loss", r.loss);
    call.figures.add(id + ".parameters", r.parameters);
    call.figures.add(id + ".milliseconds", r.milliseconds);
    call.figures.add(id + ".median_ms", q.median);
    call.figures.add(id + ".foreseen_mib", foreseen);
    call.figures.add(id + ".peak_mib", peak);
    call.figures.add(id + ".late_allocations", int64_t(r.late_allocations));
    if (r.profile.empty()) continue;
    double total = 0;
    for (const auto& [key, row] : r.profile) total += row.seconds;
    fmt::print("    {:<34} {:<9} {:>6} {:>9} {:>6} {:>8}\n", "op", "direction", "calls", "ms", "share", "GB/s");
    for (const auto& [key, row] : r.profile) {
      const double ms = row.seconds * 1e3 / c.repeats;
      fmt::print("    {:<34} {:<9} {:>6} {:>9.3f} {:>5.1f}% {:>8.1f}\n", key.first, to_string(key.second),
                 row.calls / uint64_t(c.repeats), ms, 100 * row.seconds / total, row.bytes / row.seconds * 1e-9);
      call.figures.add(fmt::format("{}.profile.{}.{}", id, key.first, to_string(key.second)), ms);
    }
  }
}

}  // namespace kern::apps
