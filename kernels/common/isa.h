// The instruction sets of CPU implementations, and plain loops compiled for each of them:
//
//   on_isa<Isa::avx512>([&] { for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]); });
//
// A loop and what it calls are inlined into a function of that instruction set, where the compiler vectorises them
// again. Nothing that other code calls is compiled with those instructions, so (unlike in a simd.h file) such loops may
// call whatever they like: what is not inlined runs as it is compiled for everyone. With -ffp-contract=off every
// instruction set gives the same bits. For code that needs vectors by name, kernels/common/simd.h.
#pragma once
#include <cstdint>

namespace kern::kernels {

enum class Isa { avx512, avx2, baseline };

constexpr const char* isa_name(Isa isa) {  // as implementations are called
  return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "simd";
}

// Whether this CPU (and its operating system) runs the code of an instruction set.
inline bool cpu_has(Isa isa) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
  if (isa == Isa::avx2) return avx2;
  if (isa == Isa::avx512)
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  return __builtin_cpu_supports("sse4.2");
#else
  return isa == Isa::baseline;
#endif
}

// For an implementation's supports when it takes every case.
template <Isa isa, class Spec>
bool supports_on(const Spec&) {
  return cpu_has(isa);
}

// For a function that a loop of on_isa is to inline, however long it is.
#define KERN_INLINE [[gnu::always_inline]] inline

#if defined(__x86_64__)
namespace detail {
template <class F>
[[gnu::target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,bmi,bmi2"), gnu::flatten]] void on_avx512(const F& f) {
  f();
}
template <class F>
[[gnu::target("avx2,fma,bmi,bmi2"), gnu::flatten]] void on_avx2(const F& f) {
  f();
}
template <class F>
[[gnu::target("sse4.2"), gnu::flatten]] void on_baseline(const F& f) {
  f();
}
}  // namespace detail
#endif

template <Isa isa, class F>
void on_isa(const F& f) {
#if defined(__x86_64__)
  if constexpr (isa == Isa::avx512) detail::on_avx512(f);
  else if constexpr (isa == Isa::avx2) detail::on_avx2(f);
  else detail::on_baseline(f);
#else
  f();
#endif
}

}  // namespace kern::kernels

// impl<isa>() for every instruction set, fastest first, for the beginning of an op's registry.
#if defined(__x86_64__)
#define KERN_SIMD_IMPLS(impl) impl<Isa::avx512>(), impl<Isa::avx2>(), impl<Isa::baseline>()
#else
#define KERN_SIMD_IMPLS(impl) impl<Isa::baseline>()
#endif
