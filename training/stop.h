// Every way a training is asked to stop before its end: Ctrl-C and SIGTERM (once: save and stop; twice: stop now), a
// file named "stop" in the run folder, a time budget. The loop asks between steps and saves first; a step that does not
// come to an end soon after a signal is left, and what was saved before it stays.
#pragma once
#include <filesystem>
#include <string>

namespace kern::training {

// While it lives, SIGINT and SIGTERM set a flag instead of ending the process; a second signal ends it.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  static bool asked();
  // A step that still runs so many seconds after the signal is left (engine/interruption.h): 10 unless set.
  static void set_patience(double seconds);
  // What a program that such a signal stopped ends with, as a shell has it: 130 after Ctrl-C, 143 after SIGTERM, so
  // that "train && predict" does not go on; 0 without one. Holds until the next SignalWatch.
  static int exit_code();
};

}  // namespace kern::training
