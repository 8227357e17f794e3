// CUDA as Kern's sources see it: NVIDIA's toolkit where nvcc compiles, the emulator (kernels/common/emulator) with
// KERN_CUDA=EMULATED. Kernels are started by KERN_LAUNCH alone and declare shared memory by KERN_SHARED:
//
//   __global__ void relu_forward_kernel(ReluSpec g, const float* x, float* y) { ... }
//   KERN_LAUNCH(relu_forward_kernel, over(g.rows * g.c, 256, exec), g, x, y);
//
//   KERN_SHARED(float[32][33], tile);                 // a variable of the block
//   float* staged = KERN_DYNAMIC_SHARED(float);       // LaunchConfig::shared_bytes of it
#pragma once
#include <memory>
#include <tuple>
#include <type_traits>

#include "kernels/common/device.h"
#include "kernels/common/error.h"
#include "kernels/common/launches.h"
#include "kernels/common/layout.h"
#ifdef KERN_CUDA_EMULATED
#include "kernels/common/emulator/device.h"
#include "kernels/common/emulator/matrix.h"
#include "kernels/common/emulator/runtime.h"
#else
#include <cuda_runtime.h>
#endif
#if defined(KERN_CUDA_EMULATED) || defined(__CUDACC__)
#define KERN_CUDA_KERNELS  // this file holds kernels; others include the header for the runtime alone
#endif

namespace kern::kernels {

// Throws what a call of the runtime returned, in its own words. Most errors are that call's alone; after some, a fault
// in a kernel for one, every later call returns the same, and the sentence says that the process must be started again.
[[noreturn]] void cuda_fail(cudaError_t error, std::string_view what, SourceLocation at);
inline void cuda_check(cudaError_t error, std::string_view what, SourceLocation at = SourceLocation::current()) {
  if (error != cudaSuccess) [[unlikely]]
    cuda_fail(error, what, at);
}

// Before a launch with so much dynamic shared memory: lets the kernel have all that the device has, if it needs more
// than what it gets unasked. Never less than before: what was recorded is launched later. Any thread.
void prepare_shared(const void* kernel, size_t bytes, std::string_view name, SourceLocation at);
// With KERN_SYNC=on, behind a launch: throws what went wrong in it. Not while the stream is being recorded.
void wait_for_launch(std::string_view name, cudaStream_t stream, SourceLocation at);

#ifdef KERN_CUDA_KERNELS
struct LaunchConfig {
  dim3 grid, block;
  size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
};
inline cudaStream_t stream_of(const Exec& exec) { return static_cast<cudaStream_t>(exec.stream); }
// One thread for each of n items, in blocks of `threads`; kernels check their index.
inline LaunchConfig over(int64_t n, int threads, const Exec& exec) {
  return {.grid = unsigned(ceil_div(n, threads)), .block = unsigned(threads), .stream = stream_of(exec)};
}

template <class... P, class... A>
void launch(std::string_view name, SourceLocation at, void (*kernel)(P...), const LaunchConfig& config,
            const A&... arguments) {
  if (config.grid.x == 0 || config.grid.y == 0 || config.grid.z == 0) return;  // an empty tensor is no work
  if (config.shared_bytes > 0) prepare_shared(reinterpret_cast<const void*>(kernel), config.shared_bytes, name, at);
#ifdef KERN_CUDA_EMULATED
  using Parameters = std::tuple<std::decay_t<P>...>;
  const auto parameters = std::make_shared<const Parameters>(std::decay_t<P>(arguments)...);
  cuda_check(emulator::enqueue({.name = std::string(name),
                                .grid = config.grid,
                                .block = config.block,
                                .shared_bytes = config.shared_bytes,
                                .kernel = reinterpret_cast<void (*)()>(kernel),
                                .parameters = parameters,
                                .parameter_bytes = sizeof(Parameters),
                                .call =
                                    [](void (*function)(), const void* p) {
                                      std::apply(reinterpret_cast<void (*)(P...)>(function),
                                                 *static_cast<const Parameters*>(p));
                                    }},
                               config.stream),
             name, at);
#else
  // clang-format off
  kernel<<<config.grid, config.block, config.shared_bytes, config.stream>>>(P(arguments)...);  // the formatter breaks >>>
  // clang-format on
  cuda_check(cudaGetLastError(), name, at);
#endif
  if (sync_launches()) wait_for_launch(name, config.stream, at);
}
#endif

}  // namespace kern::kernels

#define KERN_LAUNCH(kernel, ...) \
  ::kern::kernels::launch(#kernel, ::kern::SourceLocation::current(), kernel, __VA_ARGS__)

#ifdef KERN_CUDA_EMULATED
#define KERN_SHARED(type, name) \
  static char name##_key;       \
  auto& name = ::kern::emulator::shared_as<type>(&name##_key, ::kern::SourceLocation::current())
#define KERN_DYNAMIC_SHARED(type) static_cast<type*>(::kern::emulator::dynamic_shared())
#else
#define KERN_SHARED(type, name) __shared__ __align__(16) std::type_identity_t<type> name
namespace kern::kernels {
extern __shared__ __align__(128) unsigned char kern_dynamic_shared[];
}
#define KERN_DYNAMIC_SHARED(type) reinterpret_cast<type*>(::kern::kernels::kern_dynamic_shared)
#endif
