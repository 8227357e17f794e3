#include "benchmarks/sections.h"

#include <fmt/format.h>

#include "apps/bench/verbs.h"
#include "kernels/common/parallel.h"

namespace kern::apps {

void describe_bench_sections(training::Schema& s, BenchSectionsConfig& c) {
  s.section("What is timed")
      .key("networks", c.networks, "networks of kern faults", training::one_of([] {
             std::vector<std::string> names;
             for (const auto& m : models::section_models())
               if (m.takes_single_sections()) names.emplace_back(m.name);
             return names;
           }()))
      .key("channels", c.channels, "channels of the levels, as in kern faults train; empty: each network's own")
      .key("traces", c.traces, "traces of the section", training::at_least(1))
      .key("samples", c.samples, "samples of a trace, in the section and in the volume", training::at_least(1))
      .key("lines", c.lines, "inlines and crosslines of the volume; 0: no volume", training::at_least(0))
      .key("tile", c.tile, "side of the tiles that larger sections are cut into", training::at_least(16))
      .key("flips", c.flips, "the mean with the section turned left to right");
  s.section("How")
      .choice("device", c.device, "where to compute; auto: on a GPU where there is one",
              {{"auto", DeviceChoice::automatic}, {"cpu", DeviceChoice::cpu}, {"cuda", DeviceChoice::cuda}})
      .key("repeats", c.repeats, "timed runs of each", training::at_least(1))
      .key("threads", c.threads, "threads; 0: all cores", training::between(0, 1024));
}

void run_bench_sections(const BenchSectionsConfig& c, Call& call) {
  if (c.threads > 0) set_thread_count(c.threads);
  fmt::print("Fault probability of sections and volumes, {} threads, f32; a volume along inlines and crosslines.\n",
             thread_count());
  fmt::print("{:<10} {:>10} {:<16} {:>10} {:>10} {:>12} {:>10}\n", "network", "parameters", "data", "median ms",
             "least ms", "Mvoxels/s", "traces/s");
  call.figures.add("threads", thread_count());
  for (const std::string& network : c.networks)
    for (const bool volume : {false, true}) {
      if (volume && c.lines == 0) continue;
      const auto r = benchmarks::time_sections(network, {.channels = c.channels},
                                               {.device = device_of(c.device),
                                                .inlines = volume ? c.lines : 1,
                                                .crosslines = volume ? c.lines : c.traces,
                                                .samples = c.samples,
                                                .tiles = {.tile = c.tile, .flips = c.flips},
                                                .repeats = c.repeats});
      const auto q = benchmarks::quartiles(r.milliseconds);
      const double voxels = double(r.voxels) / q.median * 1e3, traces = double(r.traces) / q.median * 1e3;
      const std::string data =
          volume ? fmt::format("{0}x{0}x{1}", c.lines, c.samples) : fmt::format("{}x{}", c.traces, c.samples);
      fmt::print("{:<10} {:>10} {:<16} {:>10.1f} {:>10.1f} {:>12.2f} {:>10.0f}\n", network, r.parameters, data,
                 q.median, q.least, voxels * 1e-6, traces);
      std::fflush(stdout);
      const std::string id = network + (volume ? ".volume" : ".section");
      call.figures.add(id + ".parameters", r.parameters);
      call.figures.add(id + ".milliseconds", r.milliseconds);
      call.figures.add(id + ".median_ms", q.median);
      call.figures.add(id + ".voxels_per_second", voxels);
      call.figures.add(id + ".traces_per_second", traces);
    }
}

}  // namespace kern::apps
