#include "apps/bench/bench.h"

#include "apps/bench/verbs.h"

namespace kern::apps {

const Task& bench_task() {
  static const Task task{
      "bench",
      "time steps and kernels on this machine",
      {
          verb<BenchStepsConfig>("steps", "time whole steps of the models of docs/benchmarks.md", describe_bench_steps,
                                 run_bench_steps),
          verb<BenchKernelsConfig>("kernels", "time every row of every op on these models' shapes",
                                   describe_bench_kernels, run_bench_kernels),
          verb<BenchSectionsConfig>("sections", "time fault probability of sections and volumes",
                                    describe_bench_sections, run_bench_sections),
          verb<BenchLoaderConfig>("loader", "time the loaders of the apps beside what a step consumes",
                                  describe_bench_loader, run_bench_loader),
          verb<BenchLedgerConfig>("ledger", "write down a step's launches on a GPU, without one", describe_bench_ledger,
                                  run_bench_ledger),
      }};
  return task;
}

}  // namespace kern::apps
