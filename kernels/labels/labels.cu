// labels on the GPU: a thread for each position or value, 8 to 16 bytes of it. Bound by memory.
#include "kernels/common/sum.cuh"
#include "kernels/labels/labels.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 256;

// f(i) for i < n.
template <class F>
__global__ void __launch_bounds__(kThreads) each_kernel(int64_t n, F f) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < n) f(i);
}
template <class F>
void for_each(std::string_view name, const Exec& exec, int64_t n, const F& f) {
  launch(name, SourceLocation::current(), each_kernel<F>, over(n, kThreads, exec), n, f);
}

struct Relabel {
  const int32_t* l;
  int32_t value, *y;
  __device__ void operator()(int64_t i) const { y[i] = l[i] >= 0 ? value : kIgnore; }
};
struct OneHot {
  int64_t c;
  const int32_t* l;
  const float* otherwise;
  float* y;
  __device__ void operator()(int64_t i) const {
    const int64_t row = i / c;
    const int32_t label = l[row];
    y[i] = takes_part(label, c) ? (label == i - row * c ? 1.0f : 0.0f) : otherwise ? otherwise[i] : 0.0f;
  }
};
struct Choose {
  int64_t c;
  const int32_t* l;
  const float *a, *b;
  float* y;
  __device__ void operator()(int64_t i) const { y[i] = l[i / c] >= 0 ? a[i] : b[i]; }
};
template <class T>
struct Move {
  int64_t c, positions;
  const T* x;
  const int32_t* origin;
  T none, *y;
  __device__ void operator()(int64_t i) const {
    const int64_t row = i / c;
    const int32_t from = origin[row];
    y[i] = takes_part(from, positions) ? x[(row / positions * positions + from) * c + (i - row * c)] : none;
  }
};

struct LabelledValue {
  const float* x;
  int64_t pitch;
  const int32_t* l;
  __device__ Terms<2> operator()(int64_t, int64_t i) const {
    if (l[i] < 0) return {{0, 0}};
    return {{x ? x[i * pitch] : 0.0f, 1}};
  }
};
struct LabelledMean {
  int64_t rows;
  float* s;
  __device__ void operator()(const Sums<2>& sums) const {
    const double n = sums.v[1];
    s[0] = n > 0 ? float(sums.v[0] / n) : 0.0f;
    s[1] = float(n);
    s[2] = n > 0 ? float(double(rows) / n) : 0.0f;
  }
};

}  // namespace

LabelsImpl labels_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const LabelsSpec& g) { return device_sums_workspace(g.rows, 2); },
          .relabel =
              [](const Exec& exec, const LabelsSpec& g, const int32_t* l, int32_t* y) {
                for_each("relabel", exec, g.rows, Relabel{l, g.value, y});
              },
          .one_hot =
              [](const Exec& exec, const LabelsSpec& g, const int32_t* l, const float* otherwise, float* y) {
                for_each("one_hot", exec, g.rows * g.c, OneHot{g.c, l, otherwise, y});
              },
          .choose =
              [](const Exec& exec, const LabelsSpec& g, const int32_t* l, const float* a, const float* b, float* y) {
                for_each("choose", exec, g.rows * g.c, Choose{g.c, l, a, b, y});
              },
          .move_labels =
              [](const Exec& exec, const LabelsSpec& g, const int32_t* l, const int32_t* origin, int32_t* y) {
                for_each("move_labels", exec, g.rows, Move<int32_t>{1, g.positions, l, origin, kIgnore, y});
              },
          .move_rows =
              [](const Exec& exec, const LabelsSpec& g, const float* x, const int32_t* origin, float* y) {
                for_each("move_rows", exec, g.rows * g.c, Move<float>{g.c, g.positions, x, origin, 0.0f, y});
              },
          .mean =
              [](const Exec& exec, const LabelsSpec& g, const float* x, const int32_t* l, float* s) {
                device_sums<2>("labelled mean", exec, g.rows, 1, true, LabelledValue{x, g.x_pitch, l},
                               LabelledMean{g.rows, s});
              }};
}

}  // namespace kern::kernels
