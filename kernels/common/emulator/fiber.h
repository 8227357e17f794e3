// A function on a stack of its own that can be left in the middle and taken up again: what a CUDA thread is under
// emulation. Switching costs a few nanoseconds on x86-64 and ARM64 (no system call); elsewhere <ucontext.h> serves.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kern::emulator {

class Fiber {
 public:
  Fiber();  // takes a stack from the system; throws std::bad_alloc
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs body(argument) from its beginning until it suspends or ends. A body that was left unfinished is forgotten.
  void start(void (*body)(void*), void* argument);
  void resume();   // goes on after suspend()
  void suspend();  // inside the body: back to whoever called start() or resume()
  bool finished() const { return finished_; }
  uintptr_t stack() const { return stack_; }
  static constexpr size_t kStackBytes = 192 * 1024;

 private:
  [[noreturn]] static void enter(Fiber* self);
  void switch_in();

  uintptr_t stack_ = 0;  // its lowest address; below lies a page that nobody may touch
  void* inside_ = nullptr;
  void* outside_ = nullptr;
  void (*body_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool finished_ = true;
};

}  // namespace kern::emulator
