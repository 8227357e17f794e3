#include "training/stop.h"

#include <csignal>
#include <ctime>

#include "engine/interruption.h"

namespace kern::training {
namespace {
volatile std::sig_atomic_t signalled = 0;
struct sigaction interrupt_before, terminate_before;

volatile std::sig_atomic_t signalled_at = 0;  // seconds of the steady clock
double patience = 10;
WantsToEnd wants_before = nullptr;

double steady_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // may be called in a signal's handler
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}
void on_signal(int signal) {
  signalled_at = std::sig_atomic_t(steady_now());
  signalled = signal;
}
bool out_of_patience() { return signalled && steady_now() - double(signalled_at) > patience; }
}  // namespace

SignalWatch::SignalWatch() {
  signalled = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = int(SA_RESETHAND);  // the second signal has its usual effect
  sigaction(SIGINT, &action, &interrupt_before);
  sigaction(SIGTERM, &action, &terminate_before);
  wants_before = set_interruption(out_of_patience);
}
SignalWatch::~SignalWatch() {
  set_interruption(wants_before);
  sigaction(SIGINT, &interrupt_before, nullptr);
  sigaction(SIGTERM, &terminate_before, nullptr);
}
bool SignalWatch::asked() { return signalled != 0; }
void SignalWatch::set_patience(double seconds) { patience = seconds; }
int SignalWatch::exit_code() { return signalled ? 128 + int(signalled) : 0; }

}  // namespace kern::training
