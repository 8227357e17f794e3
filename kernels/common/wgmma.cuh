// wgmma of sm_90a (PTX ISA, "Asynchronous Warpgroup Level Matrix Multiply-Accumulate"), which the emulator knows too: four
// warps, 4 i .. 4 i + 3 of a block, multiply A [64,K] by B [K,N], both in shared memory, and add to D [64,N] in their
// registers while they go on; K is 16 values of bf16 or 8 of tf32, 32 bytes.
//
//   wgmma_fence();                                     // once registers were used otherwise
//   wgmma<WgmmaType::bf16>(sums, a, b);                // any number of them
//   wgmma_commit();
//   wgmma_wait<0>(sums);                               // until then sums, A and B are taboo
//
// Element (row, column) of D is in register column / 8 * 4 + row % 16 / 8 * 2 + column % 2 of the group's thread
// row / 16 * 32 + row % 8 * 4 + column % 8 / 2.
//
// Operands are told by descriptors: matrix() below. Where neighbours along k lie side by side (K-major), rows of m or n lie
// in groups of eight, `stride` bytes from one group to the next:
//
//   swizzle    a group                                     the second 16 bytes along k lie
//   none       8 rows of 16 bytes, one behind another      `leading` bytes on
//   32         8 rows of 32 bytes                          16 bytes on; `leading` says nothing
//   64, 128    8 rows of 64 or 128 bytes                   likewise; the next K is 32 bytes on
//
// which is what a tensor map of that swizzle writes for a box of 32, 64 or 128 bytes along the first axis. bf16 may lie
// across (MN-major), neighbours along m or n side by side: groups are of eight k then, and
//
//   none       8 rows of 16 bytes (8 of m or n)            the next 8 k `leading`, the next 8 of m or n `stride` bytes on
//   32 .. 128  8 rows of 32 .. 128 bytes                   the next 8 k `stride`, what follows the row `leading` bytes on
//
// A group of a swizzle begins at a multiple of its 256, 512 or 1024 bytes.
#pragma once
#include "kernels/common/bulk_copy.cuh"
#ifdef KERN_CUDA_EMULATED
#include "kernels/common/emulator/warpgroup.h"
#endif

namespace kern::kernels {

constexpr int kWarpgroup = 128;  // threads
#ifdef KERN_CUDA_EMULATED
using emulator::WgmmaType;
#else
enum class WgmmaType { bf16, tf32 };
#endif
// As descriptors number them.
enum class WgmmaSwizzle { none = 0, bytes128 = 1, bytes64 = 2, bytes32 = 3 };

// The descriptor of an operand that begins there, on a multiple of 16 bytes. Bits 0-13 hold the address, 16-29 and 32-45
// the two distances, each without its last four bits, and 62-63 the swizzle.
__device__ __forceinline__ uint64_t matrix(const void* shared, int leading, int stride, WgmmaSwizzle swizzle) {
#ifdef KERN_CUDA_EMULATED
  emulator::check_aligned(shared, 16, SourceLocation::current());
#endif
  return uint64_t((shared_address(shared) & 0x3ffff) >> 4) | uint64_t(leading >> 4) << 16 |
         uint64_t(stride >> 4) << 32 | uint64_t(swizzle) << 62;
}
// So many bytes further on.
__device__ __forceinline__ uint64_t matrix_at(uint64_t descriptor, int bytes) { return descriptor + (bytes >> 4); }

// All threads of the group, as all of these.
__device__ __forceinline__ void wgmma_fence() {
#ifdef KERN_CUDA_EMULATED
  emulator::wgmma_fence(SourceLocation::current());
#elif defined(KERN_HOPPER)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}
__device__ __forceinline__ void wgmma_commit() {
#ifdef KERN_CUDA_EMULATED
  emulator::wgmma_commit(SourceLocation::current());
#elif defined(KERN_HOPPER)
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}
// Until all but the latest kGroups groups are complete. What the compiler makes of `d` stays behind.
template <int kGroups, int kCount>
__device__ __forceinline__ void wgmma_wait(float (&d)[kCount]) {
#ifdef KERN_CUDA_EMULATED
  static_cast<void>(d);
  emulator::wgmma_wait(kGroups, SourceLocation::current());
#elif defined(KERN_HOPPER)
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kGroups) : "memory");
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(d[i])::"memory");
#endif
}

// d [64,N] (+)= a b, where N is 2 kCount: 64 or 128 for bf16, 64 for tf32, and on the emulator any multiple of 8.
template <WgmmaType kType, bool kAAcross = false, bool kBAcross = false, int kCount>
__device__ __forceinline__ void wgmma(float (&d)[kCount], uint64_t a, uint64_t b, bool add = true) {
#ifdef KERN_CUDA_EMULATED
  emulator::wgmma(d, {kType, 2 * kCount, a, b, kAAcross, kBAcross, add}, SourceLocation::current());
#elif defined(KERN_HOPPER)
  static_assert(kCount == 32 || (kCount == 64 && kType == WgmmaType::bf16));
  if constexpr (kType == WgmmaType::tf32) {
    static_assert(!kAAcross && !kBAcross);
    asm volatile(
        "{\n"
        ".reg .pred add;\n"
        "setp.ne.b32 add, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k8.f32.tf32.tf32 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
        "}, %32, %33, add, 1, 1;\n"
        "}"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]),
          "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), "+f"(d[16]),
          "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]),
          "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31])
        : "l"(a), "l"(b), "r"(int(add)));
  } else if constexpr (kCount == 32) {
    asm volatile(
        "{\n"
        ".reg .pred add;\n"
        "setp.ne.b32 add, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
        "}, %32, %33, add, 1, 1, %35, %36;\n"
        "}"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]),
          "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), "+f"(d[16]),
          "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]),
          "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31])
        : "l"(a), "l"(b), "r"(int(add)), "n"(int(kAAcross)), "n"(int(kBAcross)));
  } else {
    asm volatile(
        "{\n"
        ".reg .pred add;\n"
        "setp.ne.b32 add, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
        "}, %64, %65, add, 1, 1, %67, %68;\n"
        "}"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]),
          "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), "+f"(d[16]),
          "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]),
          "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]), "+f"(d[32]),
          "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), "+f"(d[40]),
          "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]), "+f"(d[48]),
          "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]), "+f"(d[56]),
          "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63])
        : "l"(a), "l"(b), "r"(int(add)), "n"(int(kAAcross)), "n"(int(kBAcross)));
  }
#endif
}

// The registers of each thread of the group from now on, a multiple of 8 from 24 to 256: less for those who copy, more for
// those who multiply. Of a kernel whose registers are bounded (__launch_bounds__ with a number of blocks).
template <int kCount>
__device__ __forceinline__ void give_registers() {
#ifdef KERN_CUDA_EMULATED
  emulator::set_registers(kCount, false, SourceLocation::current());
#elif defined(KERN_HOPPER)
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kCount));
#endif
}
template <int kCount>
__device__ __forceinline__ void take_registers() {
#ifdef KERN_CUDA_EMULATED
  emulator::set_registers(kCount, true, SourceLocation::current());
#elif defined(KERN_HOPPER)
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kCount));
#endif
}

}  // namespace kern::kernels
