#include "apps/bench/bench.h"

#include "apps/bench/verbs.h"

namespace kern::apps {

const Task& bench_task() {
  static const Task task{"bench",
                         "time steps and kernels on this machine",
                         {
                             verb<BenchStepsConfig>("steps", "time whole steps of the models of docs/benchmarks.md",
                                                    describe_bench_steps, run_bench_steps),
                         }};
  return task;
}

}  // namespace kern::apps
