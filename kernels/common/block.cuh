// Sums and maxima over the threads of a warp or block, in an order that depends on nothing but the block's size.
#pragma once
#include "kernels/common/cuda.h"

namespace kern::kernels {

inline constexpr unsigned kAllLanes = 0xffffffffu;

// --- what is folded: an operation, and what leaves a value as it is ---
struct Plus {
  template <class T>
  __device__ static T zero() {
    return T(0);
  }
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Greater {  // a NaN wins
  template <class T>
  __device__ static T zero() {
    return T(-INFINITY);
  }
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

// Every lane gets the fold of all of them: lane pairs 16 apart first, then 8, 4, 2, 1.
template <class Op, class T>
__device__ __forceinline__ T warp_fold(T v, Op op = {}) {
#pragma unroll
  for (int apart = 16; apart > 0; apart /= 2) v = op(v, __shfl_xor_sync(kAllLanes, v, apart));
  return v;
}
template <class T>
__device__ __forceinline__ T warp_sum(T v) {
  return warp_fold<Plus>(v);
}

// Every thread of a block of kThreads (a multiple of 32, one-dimensional) gets the fold of all of them. All must call.
template <int kThreads, class Op, class T>
__device__ __forceinline__ T block_fold(T v, Op op = {}) {
  static_assert(kThreads % 32 == 0 && kThreads <= 1024);
  if constexpr (kThreads == 32) return warp_fold<Op>(v, op);
  KERN_SHARED(T[kThreads / 32], of_warp);
  v = warp_fold<Op>(v, op);
  __syncthreads();  // a fold before this one has been read by all
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = v;
  __syncthreads();
  v = threadIdx.x % 32 < kThreads / 32 ? of_warp[threadIdx.x % 32] : Op::template zero<T>();
  return warp_fold<Op>(v, op);
}
template <int kThreads, class T>
__device__ __forceinline__ T block_sum(T v) {
  return block_fold<kThreads, Plus>(v);
}

}  // namespace kern::kernels
