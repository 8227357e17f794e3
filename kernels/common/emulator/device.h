// What a kernel's source sees of CUDA when it is compiled as C++: the qualifiers, vector types, indices, barriers,
// shuffles, votes, integer atomics and fast mathematics. A floating-point atomicAdd does not exist here: its result
// would depend on the order of threads.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/common/emulator/block.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

#define threadIdx (::kern::emulator::place.thread)
#define blockIdx (::kern::emulator::place.block)
#define blockDim (::kern::emulator::place.block_size)
#define gridDim (::kern::emulator::place.grid_size)
inline constexpr int warpSize = 32;

struct alignas(8) float2 {
  float x, y;
};
struct float3 {
  float x, y, z;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct int3 {
  int x, y, z;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
constexpr float2 make_float2(float x, float y) { return {x, y}; }
constexpr float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
constexpr int2 make_int2(int x, int y) { return {x, y}; }
constexpr int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
constexpr uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
constexpr uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
constexpr double2 make_double2(double x, double y) { return {x, y}; }

// --- barriers and votes ---
#define KERN_AT ::kern::SourceLocation at = ::kern::SourceLocation::current()
inline void __syncthreads(KERN_AT) { kern::emulator::block_barrier(at); }
inline int __syncthreads_count(int predicate, KERN_AT) {
  return kern::emulator::block_vote(
      predicate, [](int count, int) { return count; }, at);
}
inline int __syncthreads_and(int predicate, KERN_AT) {
  return kern::emulator::block_vote(
      predicate, [](int count, int size) { return int(count == size); }, at);
}
inline int __syncthreads_or(int predicate, KERN_AT) {
  return kern::emulator::block_vote(
      predicate, [](int count, int) { return int(count > 0); }, at);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, KERN_AT) { kern::emulator::warp_barrier(mask, at); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __nanosleep(unsigned) {}
inline void __trap(KERN_AT) { kern::emulator::fault("__trap", at); }
inline unsigned __activemask() { return 1u << kern::emulator::place.lane(); }

namespace kern::emulator {

template <class T>
struct Shuffle {
  T value;
  int source;  // lane
};
// Lane l gets the value of the lane that it names.
template <class T>
T shuffle(const char* what, unsigned mask, T value, int source, SourceLocation at) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  Shuffle<T> bring{value, source};
  struct Got {
    T value;
    int known;
  } got{};
  warp_exchange(
      what, mask, &bring, sizeof bring, &got, sizeof got,
      [](Exchange& e) {
        for (unsigned l = 0; l < kWarp; ++l) {
          if (!(e.mask >> l & 1)) continue;
          Shuffle<T> mine;
          std::memcpy(&mine, e.bring[l], sizeof mine);
          Got result{mine.value, mine.source >= 0 && (e.mask >> mine.source & 1)};
          if (result.known) {
            Shuffle<T> other;
            std::memcpy(&other, e.bring[mine.source], sizeof other);
            result.value = other.value;
          }
          std::memcpy(e.take[l], &result, sizeof result);
        }
      },
      at);
  if (!got.known) shuffle_fault(what, source, at);
  return got.value;
}

// Lane l gets combine(values of all lanes in the mask): a vote or a reduction.
template <class In, class Out, Out (*combine)(const In* values, uint32_t mask, unsigned lane)>
Out vote(const char* what, unsigned mask, In value, SourceLocation at) {
  Out out{};
  warp_exchange(
      what, mask, &value, sizeof value, &out, sizeof out,
      [](Exchange& e) {
        In values[kWarp]{};
        for (unsigned l = 0; l < kWarp; ++l)
          if (e.mask >> l & 1) std::memcpy(&values[l], e.bring[l], sizeof(In));
        for (unsigned l = 0; l < kWarp; ++l)
          if (e.mask >> l & 1) {
            const Out result = combine(values, e.mask, l);
            std::memcpy(e.take[l], &result, sizeof result);
          }
      },
      at);
  return out;
}

template <class T>
uint32_t equal_lanes(const T* values, uint32_t mask, unsigned lane) {
  uint32_t out = 0;
  for (unsigned l = 0; l < kWarp; ++l)
    if ((mask >> l & 1) && values[l] == values[lane]) out |= 1u << l;
  return out;
}
inline uint32_t true_lanes(const int* values, uint32_t mask, unsigned) {
  uint32_t out = 0;
  for (unsigned l = 0; l < kWarp; ++l)
    if ((mask >> l & 1) && values[l]) out |= 1u << l;
  return out;
}
template <class T, T (*op)(T, T)>
T folded(const T* values, uint32_t mask, unsigned) {
  T out{};
  bool first = true;
  for (unsigned l = 0; l < kWarp; ++l)
    if (mask >> l & 1) out = first ? values[l] : op(out, values[l]), first = false;
  return out;
}
template <class T>
T plus(T a, T b) {
  return T(a + b);
}
template <class T>
T lesser(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T greater(T a, T b) {
  return a < b ? b : a;
}
inline uint32_t bits_and(uint32_t a, uint32_t b) { return a & b; }
inline uint32_t bits_or(uint32_t a, uint32_t b) { return a | b; }
inline uint32_t bits_xor(uint32_t a, uint32_t b) { return a ^ b; }

template <class T, class F>
T atomic(T* p, F&& f, SourceLocation at) {
  check_atomic(p, sizeof(T), at);
  T old;
  peek(p, &old, sizeof old);
  const T updated = f(old);
  poke(p, &updated, sizeof updated);
  return old;
}

}  // namespace kern::emulator

template <class T>
T __shfl_sync(unsigned mask, T v, int lane, int width = 32, KERN_AT) {
  const int me = int(kern::emulator::place.lane());
  return kern::emulator::shuffle("__shfl_sync", mask, v, me / width * width + (lane & (width - 1)), at);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int flip, int width = 32, KERN_AT) {
  const int me = int(kern::emulator::place.lane()), other = me ^ flip;
  return kern::emulator::shuffle("__shfl_xor_sync", mask, v, other / width > me / width ? me : other, at);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32, KERN_AT) {
  const int me = int(kern::emulator::place.lane()), other = me + int(delta);
  return kern::emulator::shuffle("__shfl_down_sync", mask, v, other / width != me / width ? me : other, at);
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32, KERN_AT) {
  const int me = int(kern::emulator::place.lane()), other = me - int(delta);
  return kern::emulator::shuffle("__shfl_up_sync", mask, v, other < me / width * width ? me : other, at);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, KERN_AT) {
  using namespace kern::emulator;
  return vote<int, uint32_t, true_lanes>("__ballot_sync", mask, predicate, at);
}
inline int __any_sync(unsigned mask, int predicate, KERN_AT) { return __ballot_sync(mask, predicate, at) != 0; }
inline int __all_sync(unsigned mask, int predicate, KERN_AT) { return __ballot_sync(mask, !predicate, at) == 0; }
template <class T>
unsigned __match_any_sync(unsigned mask, T v, KERN_AT) {
  using namespace kern::emulator;
  return vote<T, uint32_t, equal_lanes<T>>("__match_any_sync", mask, v, at);
}
template <class T>
unsigned __match_all_sync(unsigned mask, T v, int* all, KERN_AT) {
  const unsigned equal = __match_any_sync(mask, v, at);
  *all = equal == mask;
  return *all ? mask : 0;
}
#define KERN_REDUCE(name, T, op)                                                          \
  inline T name(unsigned mask, T v, KERN_AT) {                                            \
    return kern::emulator::vote<T, T, kern::emulator::folded<T, op>>(#name, mask, v, at); \
  }
KERN_REDUCE(__reduce_add_sync, int, kern::emulator::plus<int>)
KERN_REDUCE(__reduce_add_sync, unsigned, kern::emulator::plus<unsigned>)
KERN_REDUCE(__reduce_min_sync, int, kern::emulator::lesser<int>)
KERN_REDUCE(__reduce_min_sync, unsigned, kern::emulator::lesser<unsigned>)
KERN_REDUCE(__reduce_max_sync, int, kern::emulator::greater<int>)
KERN_REDUCE(__reduce_max_sync, unsigned, kern::emulator::greater<unsigned>)
KERN_REDUCE(__reduce_and_sync, unsigned, kern::emulator::bits_and)
KERN_REDUCE(__reduce_or_sync, unsigned, kern::emulator::bits_or)
KERN_REDUCE(__reduce_xor_sync, unsigned, kern::emulator::bits_xor)
#undef KERN_REDUCE

// --- atomics on integers, in global or shared memory ---
template <class T>
concept AtomicInteger = std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;
#define KERN_ATOMIC(name, formula)                                  \
  template <AtomicInteger T>                                        \
  T name(T* p, std::type_identity_t<T> v, KERN_AT) {                \
    return kern::emulator::atomic(                                  \
        p, [&]([[maybe_unused]] T old) { return T(formula); }, at); \
  }
KERN_ATOMIC(atomicAdd, old + v)
KERN_ATOMIC(atomicMax, old < v ? v : old)
KERN_ATOMIC(atomicMin, v < old ? v : old)
KERN_ATOMIC(atomicAnd, old& v)
KERN_ATOMIC(atomicOr, old | v)
KERN_ATOMIC(atomicXor, old ^ v)
KERN_ATOMIC(atomicExch, v)
#undef KERN_ATOMIC
template <AtomicInteger T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v, KERN_AT) {
  return kern::emulator::atomic(
      p, [&](T old) { return old == expected ? v : old; }, at);
}
#undef KERN_AT

// --- arithmetic ---
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T __ldcs(const T* p) {
  return *p;
}
template <class T>
void __stcs(T* p, T v) {
  *p = v;
}
inline int min(int a, int b) { return std::min(a, b); }
inline unsigned min(unsigned a, unsigned b) { return std::min(a, b); }
inline float min(float a, float b) { return fminf(a, b); }
inline int max(int a, int b) { return std::max(a, b); }
inline unsigned max(unsigned a, unsigned b) { return std::max(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline long long min(long long a, long long b) { return std::min(a, b); }
inline long long max(long long a, long long b) { return std::max(a, b); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float a) { return a > 1 ? 1.0f : a > 0 ? a : 0.0f; }
namespace kern::emulator {
inline float exp_of(float x) { return expf(x); }
inline float log_of(float x) { return logf(x); }
}  // namespace kern::emulator
#define __expf(x) ::kern::emulator::exp_of(x)  // the C library has names of its own like these
#define __logf(x) ::kern::emulator::log_of(x)
inline int __float_as_int(float v) { return std::bit_cast<int>(v); }
inline unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
inline float __int_as_float(int v) { return std::bit_cast<float>(v); }
inline float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }
inline int __float2int_rn(float v) { return int(std::nearbyint(v)); }
inline int __popc(unsigned v) { return std::popcount(v); }
inline int __clz(int v) { return std::countl_zero(unsigned(v)); }
inline int __ffs(int v) { return v ? std::countr_zero(unsigned(v)) + 1 : 0; }
inline unsigned __brev(unsigned v) {
  unsigned out = 0;
  for (int i = 0; i < 32; ++i) out |= (v >> i & 1) << (31 - i);
  return out;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t{a} * b >> 32); }

// --- shared memory: see KERN_SHARED in kernels/common/cuda.h ---
namespace kern::emulator {
template <class T>
T& shared_as(const void* key, SourceLocation at) {
  return *static_cast<T*>(shared_variable(key, sizeof(T), alignof(T) < 16 ? 16 : alignof(T), at));
}
}  // namespace kern::emulator
