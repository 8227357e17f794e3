#include "training/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <initializer_list>

namespace kern::training {

void prepare_process() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(standard, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) ::_exit(2);
  constexpr rlim_t kLeastStack = 1 << 20;
  rlimit stack{};
  if (::getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY && stack.rlim_cur < kLeastStack) {
    std::fprintf(stderr, "error: the limit of the stack is %lld kB and kern needs 1024: run ulimit -s 8192 first\n",
                 static_cast<long long>(stack.rlim_cur / 1024));
    std::fflush(stderr);
    ::_exit(1);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace kern::training
