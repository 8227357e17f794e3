// Every load and store of a kernel is checked. The kernels' sources are compiled with -fsanitize=thread, of which only
// the calls are used that the compiler then makes before each access (__tsan_read4(address) and so on): they are
// defined in checks.cpp. An access is refused with the kernel's line if it lies outside the device's allocations and
// the block's shared memory, if it is not aligned, if it reads memory that nobody wrote, or if it races:
//
//   in a block      two threads touch a byte, one of them writes, and no barrier lies between
//   among blocks    two blocks touch a byte of global memory in one launch, one of them writes, and not both atomically
#pragma once
#include <cstddef>
#include <cstdint>

namespace kern::emulator {

// Nobody has touched anything in this launch, whose parameters lie there.
void begin_launch(uintptr_t parameters, size_t bytes);
void end_launch();
void begin_block(uint32_t block);                   // shared memory: nobody has written
void allow_shared(uintptr_t begin, size_t bytes);   // a variable of the block lies there
void forget_shared(uintptr_t begin, size_t bytes);  // nobody has written what lies there
bool shared_variable_holds(const void* p, size_t bytes);
// Of a byte of shared memory, counted from its beginning: who wrote it in this block before order was kept by clocks
// (ordering.h), which begins now.
struct EarlierWrite {
  bool written, behind_last_barrier;
  uint16_t thread;
};
EarlierWrite earlier_write(size_t at);
void note_ordering();
void note_block_barrier();
void note_warp_barrier(uint32_t mask, unsigned warp);

// Global memory: whether somebody has written it since it was allocated.
void note_written(uintptr_t begin, size_t bytes);
void forget_written(uintptr_t begin, size_t bytes);
void copy_written(uintptr_t to, uintptr_t from, size_t bytes);  // as the values are
void drop_shadow(uintptr_t begin, size_t bytes);                // of what is freed: nobody may touch it again

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
