#include <csignal>

#include "apps/bench/bench.h"
#include "apps/command.h"
#include "apps/images/images.h"
#include "apps/wells/wells.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that leaves must not end a training
  return kern::apps::run_command({&kern::apps::wells_task(), &kern::apps::images_task(), &kern::apps::bench_task()},
                                 {argv + 1, argv + argc});
}
