#include <cstdio>

#include "apps/anomalies/anomalies.h"
#include "apps/bench/bench.h"
#include "apps/command.h"
#include "apps/faults/faults.h"
#include "apps/images/images.h"
#include "apps/program.h"
#include "apps/wells/wells.h"
#include "engine/mpi/mpi.h"
#include "kernels/common/error.h"
#include "training/process.h"

int main(int argc, char** argv) {
  using namespace kern::apps;
  kern::training::prepare_process();
  try {
    const kern::MpiSession ranks;
    // An error ends all ranks (apps/ranks.h); all else that has an exit code they come to together.
    return run_command(
        {&wells_task(), &images_task(), &faults_task(), &anomalies_task(), &bench_task(), &program_task()},
        {argv + 1, argv + argc});
  } catch (const kern::Error& e) {  // of starting the ranks: run_command has told all others
    std::fprintf(stderr, "error: %s\n", e.sentence().c_str());
    return kUsersInput;
  }
}
