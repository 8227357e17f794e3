// Every load and store of a kernel is checked. The kernels' sources are compiled with -fsanitize=thread, of which only
// the calls are used that the compiler then makes before each access (__tsan_read4(address) and so on): they are
// defined in checks.cpp. An access is refused with the kernel's line if it lies outside the device's allocations and
// the block's shared memory, if it is not aligned, if it reads shared memory that nobody wrote, or if it races:
//
//   shared memory   two threads touch a value, one of them writes, and no barrier lies between
//   global memory   two blocks touch a value in one launch, and one of them writes
#pragma once
#include <cstddef>
#include <cstdint>

namespace kern::emulator {

// Global memory: nobody has touched anything in this launch, whose parameters lie there.
void begin_launch(uintptr_t parameters, size_t bytes);
void begin_block(uint32_t block);                  // shared memory: nobody has written
void allow_shared(uintptr_t begin, size_t bytes);  // a variable of the block lies there
void forget_written(uintptr_t begin, size_t bytes);
void note_block_barrier();
void note_warp_barrier(uint32_t mask, unsigned warp);

// Set by the scheduler as it switches: addresses of the running thread's own stack are its own business.
void set_stack(uintptr_t begin, size_t bytes);

// The emulator's own work is not a kernel's: while one of these lives, nothing is checked. (What kernels' sources and
// the emulator share, templates of std for instance, calls the hooks wherever the linker took it from.)
class ChecksPaused {
 public:
  ChecksPaused();
  ~ChecksPaused();
  ChecksPaused(const ChecksPaused&) = delete;
  ChecksPaused& operator=(const ChecksPaused&) = delete;

 private:
  bool before_;
};
void set_checks_paused(bool on);

// One device access that the hooks do not see (atomics are never races among themselves).
enum class Access { read, write, atomic };
void check_access(uintptr_t address, size_t bytes, Access kind, void* pc);

}  // namespace kern::emulator
