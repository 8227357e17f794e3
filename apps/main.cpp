#include "apps/anomalies/anomalies.h"
#include "apps/bench/bench.h"
#include "apps/command.h"
#include "apps/faults/faults.h"
#include "apps/images/images.h"
#include "apps/program.h"
#include "apps/wells/wells.h"
#include "training/process.h"

int main(int argc, char** argv) {
  using namespace kern::apps;
  kern::training::prepare_process();
  return run_command({&wells_task(), &images_task(), &faults_task(), &anomalies_task(), &bench_task(), &program_task()},
                     {argv + 1, argv + argc});
}
