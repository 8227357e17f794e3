// mbarriers and bulk asynchronous copies of sm_90 (PTX ISA, "mbarrier" and "cp.async.bulk"), which the emulator knows too.
//
// An mbarrier is eight bytes of shared memory. One thread initialises it with the number of arrivals that end a phase and
// fences (fence_init), the block meets at __syncthreads, and from then on a phase ends when so many have arrived
// and all bytes that were announced (arrive_expecting) have landed. Whoever waits names the parity of the phase: 0 for
// the first, 1 for the second, and so on. Waiting for parity 1 before anything happened returns at once, which is how a
// producer finds its stages empty.
//
//   if (threadIdx.x == 0) mbarrier::init(&full, 1), mbarrier::fence_init();
//   __syncthreads();
//   if (threadIdx.x == 0) mbarrier::arrive_expecting(&full, bytes), copy_tensor<3>(tile, map, {{0, x, y}}, &full);
//   mbarrier::wait(&full, 0);             // tile may be read, by loads and by wgmma
//
// A tile that threads have written by ordinary stores, and that copies or wgmma touch next, wants fence_proxy_async by
// each of these threads and a barrier behind.
#pragma once
#include "kernels/common/tensor_map.h"
#ifdef KERN_CUDA_EMULATED
#include "kernels/common/emulator/bulk.h"
#include "kernels/common/emulator/scheduler.h"
#endif

// Instructions of bulk copies and wgmma exist for sm_90a alone. A kernel of theirs is empty for every other GPU, and
// nobody starts it there (device_is_hopper).
#if defined(KERN_CUDA_EMULATED) || !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define KERN_HOPPER
#endif

namespace kern::kernels {

// An address of shared memory as instructions take it: counted from the beginning of the block's.
__device__ __forceinline__ uint32_t shared_address(const void* p) {
#ifdef KERN_CUDA_EMULATED
  return uint32_t(emulator::shared_offset(p));
#else
  return uint32_t(__cvta_generic_to_shared(p));
#endif
}

namespace mbarrier {

__device__ __forceinline__ void init(uint64_t* barrier, unsigned arrivals) {
#ifdef KERN_CUDA_EMULATED
  emulator::mbarrier_init(barrier, arrivals, SourceLocation::current());
#else
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
#endif
}
__device__ __forceinline__ void invalidate(uint64_t* barrier) {
#ifdef KERN_CUDA_EMULATED
  emulator::mbarrier_invalidate(barrier, SourceLocation::current());
#else
  asm volatile("mbarrier.inval.shared::cta.b64 [%0];" ::"r"(shared_address(barrier)) : "memory");
#endif
}
// Behind init, by the same thread: bulk copies see it.
__device__ __forceinline__ void fence_init() {
#ifdef KERN_CUDA_EMULATED
  emulator::fence_mbarrier_init(SourceLocation::current());
#else
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}
__device__ __forceinline__ void arrive(uint64_t* barrier) {
#ifdef KERN_CUDA_EMULATED
  emulator::mbarrier_arrive(barrier, 0, SourceLocation::current());
#else
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
#endif
}
// Arrives, and announces so many bytes of bulk copies.
__device__ __forceinline__ void arrive_expecting(uint64_t* barrier, unsigned bytes) {
#ifdef KERN_CUDA_EMULATED
  emulator::mbarrier_arrive(barrier, bytes, SourceLocation::current());
#else
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
#endif
}
// Announces without arriving.
__device__ __forceinline__ void expect(uint64_t* barrier, unsigned bytes) {
#ifdef KERN_CUDA_EMULATED
  emulator::mbarrier_expect(barrier, bytes, SourceLocation::current());
#else
  asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
#endif
}
// Until the phase of this parity is complete. A phase later it is the other parity's turn.
__device__ __forceinline__ void wait(uint64_t* barrier, unsigned parity) {
#ifdef KERN_CUDA_EMULATED
  emulator::mbarrier_wait(barrier, parity, SourceLocation::current());
#else
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n"
      "}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
#endif
}

}  // namespace mbarrier

// What this thread stored to shared memory is seen by bulk copies and wgmma that come behind a barrier from here.
__device__ __forceinline__ void fence_proxy_async() {
#ifdef KERN_CUDA_EMULATED
  emulator::fence_proxy_async(SourceLocation::current());
#else
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// So many bytes, a multiple of 16, between addresses that are multiples of 16. One thread.
__device__ __forceinline__ void copy_bulk(void* shared, const void* global, unsigned bytes, uint64_t* barrier) {
#ifdef KERN_CUDA_EMULATED
  emulator::bulk_copy(shared, global, bytes, barrier, SourceLocation::current());
#else
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   shared_address(shared)),
               "l"(global), "r"(bytes), "r"(shared_address(barrier))
               : "memory");
#endif
}

template <int kRank>
struct TensorAt {
  int c[kRank];
};
// The box of a tensor map whose first value is at these coordinates, the innermost first; they may lie outside, where
// zeros are read. All of the box counts as bytes of the mbarrier. `shared` is a multiple of 128 bytes. One thread.
template <int kRank>
__device__ __forceinline__ void copy_tensor(void* shared, const CUtensorMap& map, const TensorAt<kRank>& at,
                                            uint64_t* barrier) {
  static_assert(kRank >= 2 && kRank <= 4);
#ifdef KERN_CUDA_EMULATED
  emulator::bulk_copy_tensor(shared, &map, at.c, kRank, barrier, SourceLocation::current());
#else
  const uint32_t to = shared_address(shared), done = shared_address(barrier);
  if constexpr (kRank == 2)
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], "
        "[%2];" ::"r"(to),
        "l"(&map), "r"(done), "r"(at.c[0]), "r"(at.c[1])
        : "memory");
  else if constexpr (kRank == 3)
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], "
        "[%2];" ::"r"(to),
        "l"(&map), "r"(done), "r"(at.c[0]), "r"(at.c[1]), "r"(at.c[2])
        : "memory");
  else
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, "
        "%6}], "
        "[%2];" ::"r"(to),
        "l"(&map), "r"(done), "r"(at.c[0]), "r"(at.c[1]), "r"(at.c[2]), "r"(at.c[3])
        : "memory");
#endif
}

}  // namespace kern::kernels
