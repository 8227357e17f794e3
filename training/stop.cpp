#include "training/stop.h"

#include <csignal>

namespace kern::training {
namespace {
volatile std::sig_atomic_t signalled = 0;
struct sigaction interrupt_before, terminate_before;

void on_signal(int signal) { signalled = signal; }
}  // namespace

SignalWatch::SignalWatch() {
  signalled = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = int(SA_RESETHAND);  // the second signal has its usual effect
  sigaction(SIGINT, &action, &interrupt_before);
  sigaction(SIGTERM, &action, &terminate_before);
}
SignalWatch::~SignalWatch() {
  sigaction(SIGINT, &interrupt_before, nullptr);
  sigaction(SIGTERM, &terminate_before, nullptr);
}
bool SignalWatch::asked() { return signalled != 0; }
int SignalWatch::exit_code() { return signalled ? 128 + int(signalled) : 0; }

}  // namespace kern::training
