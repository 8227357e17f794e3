#include "kernels/common/emulator/fiber.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#define KERN_FIBER_UCONTEXT
#endif

// kern_fiber_switch(&save, load): keeps the registers that a call must preserve on the present stack, stores the stack
// pointer in *save, and goes on where `load` was saved.
#if defined(__x86_64__)
asm(R"(
.text
.globl kern_fiber_switch
.hidden kern_fiber_switch
.type kern_fiber_switch,@function
kern_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size kern_fiber_switch,.-kern_fiber_switch
.globl kern_fiber_begin
.hidden kern_fiber_begin
.type kern_fiber_begin,@function
kern_fiber_begin:
  movq %r12, %rdi
  xorl %ebp, %ebp
  callq *%rbx
  ud2
.size kern_fiber_begin,.-kern_fiber_begin
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl kern_fiber_switch
.hidden kern_fiber_switch
.type kern_fiber_switch,%function
kern_fiber_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x2, sp
  str x2, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size kern_fiber_switch,.-kern_fiber_switch
.globl kern_fiber_begin
.hidden kern_fiber_begin
.type kern_fiber_begin,%function
kern_fiber_begin:
  mov x0, x20
  mov x29, xzr
  blr x19
  brk #1
.size kern_fiber_begin,.-kern_fiber_begin
)");
#endif

#ifndef KERN_FIBER_UCONTEXT
extern "C" void kern_fiber_switch(void** save, void* load);
extern "C" void kern_fiber_begin();
#endif

namespace kern::emulator {
namespace {
constexpr size_t kGuardBytes = 4096;
}

#ifdef KERN_FIBER_UCONTEXT
struct Contexts {
  ucontext_t inside, outside;
};
#endif

Fiber::Fiber() {
  void* base = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  mprotect(base, kGuardBytes, PROT_NONE);
  stack_ = reinterpret_cast<uintptr_t>(base) + kGuardBytes;
#ifdef KERN_FIBER_UCONTEXT
  inside_ = new Contexts;
#endif
}
Fiber::~Fiber() {
#ifdef KERN_FIBER_UCONTEXT
  delete static_cast<Contexts*>(inside_);
#endif
  munmap(reinterpret_cast<void*>(stack_ - kGuardBytes), kGuardBytes + kStackBytes);
}

void Fiber::enter(Fiber* self) {
  self->body_(self->argument_);
  self->finished_ = true;
  for (;;) self->suspend();
}

void Fiber::start(void (*body)(void*), void* argument) {
  body_ = body;
  argument_ = argument;
  finished_ = false;
#ifdef KERN_FIBER_UCONTEXT
  auto& contexts = *static_cast<Contexts*>(inside_);
  getcontext(&contexts.inside);
  contexts.inside.uc_stack.ss_sp = reinterpret_cast<void*>(stack_);
  contexts.inside.uc_stack.ss_size = kStackBytes;
  contexts.inside.uc_link = nullptr;
  static thread_local Fiber* entering;
  entering = this;
  makecontext(
      &contexts.inside, +[] { enter(entering); }, 0);
#else
  // A stack that looks as if it had left through kern_fiber_switch, on its way to kern_fiber_begin.
  auto* top = reinterpret_cast<void**>(stack_ + kStackBytes);
  void (*enter_function)(Fiber*) = enter;
#if defined(__x86_64__)
  void** sp = top - 9;  // r15 r14 r13 r12 rbx rbp, return address; two words, so that the stack is aligned at the call
  std::memset(sp, 0, 9 * sizeof(void*));
  sp[3] = this;                                         // r12
  std::memcpy(&sp[4], &enter_function, sizeof(void*));  // rbx
  void (*begin)() = kern_fiber_begin;
  std::memcpy(&sp[6], &begin, sizeof(void*));
#else
  void** sp = top - 20;  // x19..x30, d8..d15
  std::memset(sp, 0, 20 * sizeof(void*));
  std::memcpy(&sp[0], &enter_function, sizeof(void*));  // x19
  sp[1] = this;                                         // x20
  void (*begin)() = kern_fiber_begin;
  std::memcpy(&sp[11], &begin, sizeof(void*));  // x30
#endif
  inside_ = sp;
#endif
  switch_in();
}

void Fiber::resume() { switch_in(); }

#ifdef KERN_FIBER_UCONTEXT
void Fiber::switch_in() {
  auto& c = *static_cast<Contexts*>(inside_);
  swapcontext(&c.outside, &c.inside);
}
void Fiber::suspend() {
  auto& c = *static_cast<Contexts*>(inside_);
  swapcontext(&c.inside, &c.outside);
}
#else
void Fiber::switch_in() { kern_fiber_switch(&outside_, inside_); }
void Fiber::suspend() { kern_fiber_switch(&inside_, outside_); }
#endif

}  // namespace kern::emulator
