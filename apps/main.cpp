#include <csignal>

#include "apps/command.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that leaves must not end a training
  return kern::apps::run_command({}, {argv + 1, argv + argc});
}
