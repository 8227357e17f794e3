#include "benchmarks/loader.h"

#include <fmt/format.h>

#include "apps/bench/verbs.h"
#include "benchmarks/steps.h"
#include "kernels/common/parallel.h"

namespace kern::apps {

void describe_bench_loader(training::Schema& s, BenchLoaderConfig& c) {
  s.section("What is timed")
      .key("loaders", c.loaders, "loaders of the apps: wells, images, anomalies, faults; empty: all",
           training::one_of([] {
             std::vector<std::string> ids;
             for (const auto& l : benchmarks::loaders()) ids.emplace_back(l.id);
             return ids;
           }()))
      .key("seconds", c.seconds, "for which each is timed", training::at_least(0.01));
  s.section("Beside it, what the app's network consumes")
      .key("steps", c.steps, "timed training steps of it on this device; 0: none", training::at_least(0))
      .key("steps_per_second", c.steps_per_second,
           "training steps a second of a device that is not here, instead of timing any: one number, or one for each "
           "of loaders=",
           training::at_least(0))
      .choice("device", c.device, "where the steps compute; auto: on a GPU where there is one",
              {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"cuda", DeviceChoice::cuda}});
  s.section("How").key("threads", c.threads, "threads; 0: all cores", training::between(0, 1024));
}

void run_bench_loader(const BenchLoaderConfig& c, Call& call) {
  if (c.threads > 0) set_thread_count(c.threads);
  std::vector<std::string> ids = c.loaders;
  if (ids.empty())
    for (const auto& l : benchmarks::loaders()) ids.emplace_back(l.id);
  check(c.steps_per_second.size() <= 1 || c.steps_per_second.size() == ids.size(), "steps_per_second= has ",
        c.steps_per_second.size(), " numbers for ", ids.size(), " loaders: give one, or one for each");
  const Device device = device_of(c.device);
  fmt::print("Loaders with {} threads, and what a training step of their network consumes.\n", thread_count());
  fmt::print("{:<16} {:<9} {:>12} {:>12} {:>8}  {:<16} {}\n", "loader", "sample", "samples/s", "consumed/s", "ratio",
             "hash", "what");
  call.figures.add("threads", thread_count());
  for (size_t i = 0; i < ids.size(); ++i) {
    const benchmarks::LoaderCase& loader = benchmarks::loader_of(ids[i]);
    const benchmarks::LoaderResult r = benchmarks::time_loader(loader, {.seconds = c.seconds});
    double consumed = 0;
    if (!c.steps_per_second.empty()) {
      consumed = c.steps_per_second[c.steps_per_second.size() == 1 ? 0 : i] * double(loader.batch);
    } else if (c.steps > 0) {
      const auto timed = benchmarks::time_steps(loader.step, {.device = device, .warmup = 2, .repeats = c.steps});
      consumed = 1e3 * double(loader.batch) / benchmarks::quartiles(timed.milliseconds).median;
    }
    fmt::print("{:<16} {:<9} {:>12.1f} {:>12} {:>8}  {:016x} {}\n", loader.id, loader.sample, r.samples_per_second,
               consumed > 0 ? fmt::format("{:.1f}", consumed) : "-",
               consumed > 0 ? fmt::format("{:.2f}", r.samples_per_second / consumed) : "-", r.hash, loader.what);
    std::fflush(stdout);
    const std::string id = loader.id;
    call.figures.add(id + ".samples_per_second", r.samples_per_second);
    call.figures.add(id + ".hash", fmt::format("{:016x}", r.hash));
    if (consumed > 0) call.figures.add(id + ".consumed_per_second", consumed);
  }
}

}  // namespace kern::apps
