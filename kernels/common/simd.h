// Hand-written SIMD implementations over Google Highway's headers (its library is not linked: no HWY_EXPORT, no
// HWY_DYNAMIC_DISPATCH). One source is compiled once per instruction set; each becomes an implementation of its own in the registry, whose
// supports() asks the CPU:
//
//   // kernels/x_simd.cpp
//   #include "kernels/x.h"                              // everything that is not SIMD code comes first
//   #include "kernels/common/simd.h"                    // chooses the instruction sets
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "kernels/x_simd.cpp"     // this file: it is read once per instruction set
//   #include <hwy/foreach_target.h>
//   #include <hwy/highway.h>
//   HWY_BEFORE_NAMESPACE();                             // from here to HWY_AFTER_NAMESPACE its instructions are on
//   namespace kern::kernels {
//   namespace HWY_NAMESPACE {
//   namespace {
//   namespace hn = hwy::HWY_NAMESPACE;
//   void forward(const Exec&, const XSpec&, ...) { ... }
//   }
//   }
//   }
//   HWY_AFTER_NAMESPACE();
//   namespace kern::kernels {                           // what every CPU runs, to learn what it can: without them
//   template <> XImpl x_simd_impl<KERN_SIMD_ISA>() {
//     return {.name = isa_name(KERN_SIMD_ISA), .device = Device::cpu,
//             .supports = [](const XSpec&) { return cpu_has(KERN_SIMD_ISA); }, .forward = HWY_NAMESPACE::forward};
//   }
//   }
//
//   // kernels/x.h:    template <Isa isa> XImpl x_simd_impl();
//   // kernels/x.cpp:  the registry begins with KERN_SIMD_IMPLS(x_simd_impl)
//
// The one danger is a function that two files share (an inline function, a template of std) and of which the linker
// keeps the copy with AVX-512 instructions. So SIMD code lives in anonymous namespaces and calls nothing of std.
// Headers of SIMD code (`*-inl.h`) are read once per instruction set too; kernels/common/tile-inl.h shows how.
#pragma once
#include "kernels/common/isa.h"

#if defined(__x86_64__)
// AVX-512 (Skylake and later), AVX2 with FMA, and SSE4.2 as the floor; nothing in between.
#define HWY_BASELINE_TARGETS HWY_SSE4
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSSE3 | HWY_SCALAR | HWY_EMU128)
#define HWY_DISABLE_PCLMUL_AES  // instructions that a target would else demand of the CPU, and that no kernel needs
#define HWY_DISABLE_F16C
#else
#define HWY_COMPILE_ONLY_STATIC  // NEON on ARM64
#endif
#define HWY_IS_DEBUG_BUILD 0  // Highway's own assertions call into its library

// The instruction set that a SIMD file is being compiled for.
#define KERN_SIMD_ISA (HWY_TARGET == HWY_AVX3 ? Isa::avx512 : HWY_TARGET == HWY_AVX2 ? Isa::avx2 : Isa::baseline)
