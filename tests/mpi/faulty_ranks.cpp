// A command line whose verbs go wrong on some ranks, started by mpirun (faults.cmake): what apps/ranks.h and engine/mpi
// make of it.
#include <csignal>
#include <cstdio>
#include <thread>

#include "apps/command.h"
#include "engine/communicator.h"
#include "engine/mpi/mpi.h"
#include "kernels/common/log.h"

namespace kern::apps {
namespace {

struct Config {
  int value = 0;
};
void describe(training::Schema& s, Config& c) { s.key("value", c.value, "a number"); }

int rank() { return communicator().rank(); }
// The others are where they need all.
void wait_for_all() { communicator().barrier(); }

Verb on_ranks(const char* name, void (*run)(const Config&, Call&)) {
  return verb<Config>(name, name, describe, run).on_ranks();
}

const Task& faulty() {
  using C = const Config&;
  static const Task task{
      "test",
      "what goes wrong",
      {verb<Config>("single", "of one process", describe, [](C, Call&) {}),
       on_ranks("well",
                [](C, Call& call) {
                  inform("a note");
                  warn("a warning");
                  std::printf("a result of %d ranks\n", communicator().size());
                  call.figures.add("value", 1);
                }),
       on_ranks("alike", [](C, Call&) { check(false, "the file is not there"); }),
       on_ranks("one",
                [](C, Call&) {
                  check(rank() != 1, "the disk is full");
                  wait_for_all();
                }),
       on_ranks("some", [](C, Call&) { check(rank() == 0, "the disk is full"), wait_for_all(); }),
       on_ranks("different", [](C, Call&) { check(false, "no data in folder ", rank()); }),
       on_ranks("ours", [](C, Call&) { internal_check(rank() != 1, "one and one is three"), wait_for_all(); }),
       on_ranks("killed",
                [](C, Call&) {
                  if (rank() == 1) std::raise(SIGKILL);
                  wait_for_all();
                }),
       on_ranks("stopped",
                [](C, Call&) {
                  if (rank() == 1) std::raise(SIGSTOP);
                  // Of three, not all begin to wait at the same time.
                  if (rank() == 0 && communicator().size() > 2) std::this_thread::sleep_for(std::chrono::seconds(1));
                  wait_for_all();
                }),
       // All leave together with a code of their own, the first after work of its own.
       on_ranks("code", [](C, Call& call) {
         if (rank() == 0) std::this_thread::sleep_for(std::chrono::seconds(1));
         std::printf("saved\n");
         call.exit_code = 130;
       })}};
  return task;
}

}  // namespace
}  // namespace kern::apps

int main(int argc, char** argv) {
  const kern::MpiSession ranks;
  return kern::apps::run_command({&kern::apps::faulty()}, {argv + 1, argv + argc});
}
