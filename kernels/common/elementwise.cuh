// One thread per value, or per four neighbours where all arrays allow 16-byte accesses: the frame of every kernel
// without a sum. What is done is a functor whose at<W>(row, column) handles W values of a row:
//
//   struct ReluForward {
//     const float* x; int64_t x_pitch; float* y; int64_t y_pitch;
//     template <int W> __device__ void at(int64_t row, int64_t column) const {
//       Pack<W> v = load<W>(x + row * x_pitch + column);
//       for (float& e : v.v) e = fmaxf(e, 0);
//       store(y + row * y_pitch + column, v);
//     }
//   };
//   for_each_value("relu_forward", exec, rows, c, {{x, x_pitch}, {y, y_pitch}}, ReluForward{x, x_pitch, y, y_pitch});
#pragma once
#include <initializer_list>

#include "kernels/common/bf16.cuh"

namespace kern::kernels {

// W values that are read or written at once: floats, whatever they are in memory.
template <int W>
struct alignas(4 * W) Pack {
  float v[W];
};
template <int W>
__device__ __forceinline__ Pack<W> load(const float* p) {
#ifdef KERN_CUDA_EMULATED
  emulator::check_aligned(p, sizeof(Pack<W>), SourceLocation::current());
#endif
  return *reinterpret_cast<const Pack<W>*>(p);
}
template <int W>
__device__ __forceinline__ void store(float* p, const Pack<W>& v) {
#ifdef KERN_CUDA_EMULATED
  emulator::check_aligned(p, sizeof(Pack<W>), SourceLocation::current());
#endif
  *reinterpret_cast<Pack<W>*>(p) = v;
}

template <int W>
struct alignas(2 * W) Bf16Pack {
  uint16_t v[W];
};
template <int W>
__device__ __forceinline__ Pack<W> load(const Bf16* p) {
#ifdef KERN_CUDA_EMULATED
  emulator::check_aligned(p, sizeof(Bf16Pack<W>), SourceLocation::current());
#endif
  const Bf16Pack<W> in = *reinterpret_cast<const Bf16Pack<W>*>(p);
  Pack<W> out;
#pragma unroll
  for (int i = 0; i < W; ++i) out.v[i] = __uint_as_float(uint32_t{in.v[i]} << 16);
  return out;
}
template <int W>
__device__ __forceinline__ void store(Bf16* p, const Pack<W>& v) {
#ifdef KERN_CUDA_EMULATED
  emulator::check_aligned(p, sizeof(Bf16Pack<W>), SourceLocation::current());
#endif
  Bf16Pack<W> out;
#pragma unroll
  for (int i = 0; i < W; i += 2) {
    const uint32_t two = to_bf16x2(v.v[i], i + 1 < W ? v.v[i + 1] : 0.0f);
    out.v[i] = uint16_t(two);
    if (i + 1 < W) out.v[i + 1] = uint16_t(two >> 16);
  }
  *reinterpret_cast<Bf16Pack<W>*>(p) = out;
}

struct RowsOf {  // an array: rows of c values, `pitch` apart
  const void* p;
  int64_t pitch;
  size_t value;  // bytes of one
  template <class T>
  constexpr RowsOf(const T* array, int64_t pitch_of_rows) : p(array), pitch(pitch_of_rows), value(sizeof(T)) {}
};
// Whether W values at a time may be read at every multiple of W.
inline bool packs_fit(int64_t c, std::initializer_list<RowsOf> arrays, int width = 4) {
  if (c % width) return false;
  for (const RowsOf& a : arrays)
    if (a.p && (a.pitch % width || reinterpret_cast<uintptr_t>(a.p) % (a.value * size_t(width)))) return false;
  return true;
}
inline bool all_dense(int64_t c, std::initializer_list<RowsOf> arrays) {
  for (const RowsOf& a : arrays)
    if (a.p && a.pitch != c) return false;
  return true;
}

template <int W, class Index, class F>
__global__ void elementwise_kernel(Index n, Index packs_of_row, F f) {
  const Index i = Index(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const Index row = packs_of_row == n ? 0 : i / packs_of_row;
  f.template at<W>(int64_t(row), int64_t(i - row * packs_of_row) * W);
}

// `flat`: where all arrays are dense they are walked as one long row, so at() must not depend on the column.
template <class F>
void for_each_value(std::string_view name, const Exec& exec, int64_t rows, int64_t c,
                    std::initializer_list<RowsOf> arrays, const F& f, bool flat = true,
                    SourceLocation at = SourceLocation::current()) {
  if (rows == 0 || c == 0) return;
  if (flat && all_dense(c, arrays)) c *= rows, rows = 1;
  const bool wide = packs_fit(c, arrays);
  const int64_t of_row = wide ? c / 4 : c, n = rows * of_row;
  const LaunchConfig config = over(n, 256, exec);
  if (n < (int64_t{1} << 31)) {
    if (wide) launch(name, at, elementwise_kernel<4, uint32_t, F>, config, uint32_t(n), uint32_t(of_row), f);
    else launch(name, at, elementwise_kernel<1, uint32_t, F>, config, uint32_t(n), uint32_t(of_row), f);
  } else {
    if (wide) launch(name, at, elementwise_kernel<4, int64_t, F>, config, n, of_row, f);
    else launch(name, at, elementwise_kernel<1, int64_t, F>, config, n, of_row, f);
  }
}

}  // namespace kern::kernels
