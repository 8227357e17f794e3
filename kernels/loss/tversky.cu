#include "kernels/common/class_rows.cuh"
#include "kernels/loss/tversky.h"

namespace kern::kernels {
namespace {

// Forward, stage one: blocks of 128 threads bring tiles of rows into shared memory, one thread per row turns its logits
// into probabilities, and then the threads stand at the columns: thread (part, k) adds rows part, part + parts, ... of
// class k, so nearly all have work whatever K, and keeps its three sums over all tiles of its block. Reads 4 bytes a
// value and 4 of the target: bound by memory. Rows of more than kMaxThreadRow values: their probabilities' numbers
// (maximum, sum) come from a kernel with a warp per row, and threads stand at the columns of x itself.
// Stage two adds the blocks' sums, a warp per group and class.
constexpr int kTerms = 3;  // t p, p and t

struct ClassSums {
  double tp, p, t;
  __device__ void add(float probability, bool is_class) {
    p += double(probability);
    if (is_class) tp += double(probability), t += 1;
  }
};
struct RowScale {  // p = exp(x - max) scale
  float max, scale;
};

// The blocks of a group, and where they put their sums: [group][block][term][K].
struct Plan {
  int64_t blocks, sums;  // of a group; of all
  explicit Plan(const TverskySpec& g) {
    const int64_t wanted = ceil_div(g.rows, g.k <= kMaxThreadRow ? 2 * kRowThreads : 64), groups = g.groups,
                  most = groups > 0 ? (1024 + groups - 1) / groups : 1;
    blocks = wanted < 1 ? 1 : wanted > most ? most : wanted;
    sums = groups * blocks * kTerms * g.k;
  }
};

template <class Row>
__device__ __forceinline__ RowScale scale_of(const Row& row) {
  const float m = row.template fold<Greater>([&](int j) { return row.in(j); });
  return {m, 1 / row.template fold<Plus>([&](int j) { return expf(row.in(j)-m); })};
}
__device__ __forceinline__ float sigmoid_of(float x) { return 1 / (1 + expf(-x)); }

__device__ __forceinline__ void store_sums(const TverskySpec& g, const ClassSums& s, int k, double* sums) {
  double* to = sums + (int64_t(blockIdx.y) * gridDim.x + blockIdx.x) * kTerms * g.k + k;
  to[0] = s.tp, to[g.k] = s.p, to[2 * g.k] = s.t;
}

__global__ void __launch_bounds__(kRowThreads)
    tversky_sums_kernel(TverskySpec g, const float* x, const int32_t* target, double* sums) {
  float* const shared = KERN_DYNAMIC_SHARED(float);
  KERN_SHARED(int32_t[kRowThreads], targets);
  KERN_SHARED(ClassSums[kRowThreads], of_thread);
  const int k = int(g.k), stride = k | 1, parts = kRowThreads / k, r = int(threadIdx.x);
  const int part = r / k, column = r % k;
  ClassSums mine{};
  for (int64_t first = int64_t(blockIdx.x) * kRowThreads; first < g.rows; first += int64_t(gridDim.x) * kRowThreads) {
    const int count = g.rows - first < kRowThreads ? int(g.rows - first) : kRowThreads;
    const int64_t row = blockIdx.y * g.rows + first;
    __syncthreads();  // the tile before has been read
    const float* from = x + row * g.x_pitch();
    for_each_of_tile(count, k, g.x_pitch(), [=](int64_t outside, int inside) { shared[inside] = from[outside]; });
    __syncthreads();
    if (r < count) {
      targets[r] = target[row + r];
      if (takes_part(targets[r], class_count(g.k))) {
        const ThreadRow values{shared + r * stride, 0, k};
        if (is_binary(g.k)) values.out(0) = sigmoid_of(values.in(0));
        else {
          const RowScale s = scale_of(values);
          values.for_each([&](int j) { values.out(j) = expf(values.in(j)-s.max) * s.scale; });
        }
      }
    }
    __syncthreads();
    for (int i = part; part < parts && i < count; i += parts)
      if (takes_part(targets[i], class_count(g.k)))
        mine.add(shared[i * stride + column], is_target(g.k, column, targets[i]));
  }
  of_thread[r] = mine;
  __syncthreads();
  if (r >= k) return;
  for (int p = 1; p < parts; ++p) {
    const ClassSums& other = of_thread[p * k + r];
    mine.tp += other.tp, mine.p += other.p, mine.t += other.t;
  }
  store_sums(g, mine, r, sums);
}

// A warp per row.
struct LongRows {
  static constexpr int kIn = 1, kSums = 0;
  static constexpr bool kOut = false;
  RowScale* scales;
  template <class Row>
  __device__ void at(const Row& row, int64_t i, Sums<0>&) const {
    const RowScale s = scale_of(row);
    if (row.leads()) scales[i] = s;
  }
};
// One thread per class, rows in turn.
__global__ void __launch_bounds__(kRowThreads)
    tversky_long_sums_kernel(TverskySpec g, const float* x, const int32_t* target, const RowScale* scales,
                             double* sums) {
  const int64_t k = int64_t(blockIdx.z) * kRowThreads + threadIdx.x;
  if (k >= g.k) return;
  ClassSums mine{};
  for (int64_t r = blockIdx.x; r < g.rows; r += gridDim.x) {
    const int64_t row = blockIdx.y * g.rows + r;
    const int32_t t = target[row];
    if (takes_part(t, g.k)) mine.add(expf(x[row * g.x_pitch() + k] - scales[row].max) * scales[row].scale, t == k);
  }
  store_sums(g, mine, int(k), sums);
}

// One block, a warp per group and class: saved, and L from all of them.
constexpr int kLossThreads = 256;
__global__ void __launch_bounds__(kLossThreads)
    tversky_loss_kernel(TverskySpec g, int64_t blocks, const double* sums, float* loss, float* saved) {
  const int lane = int(threadIdx.x % 32);
  double total = 0;
  for (int64_t i = threadIdx.x / 32; i < g.groups * g.k; i += kLossThreads / 32) {
    const double* from = sums + i / g.k * blocks * kTerms * g.k + i % g.k;
    ClassSums s{};
    for (int64_t b = lane; b < blocks; b += 32) {
      const double* of_block = from + b * kTerms * g.k;
      s.tp += of_block[0], s.p += of_block[g.k], s.t += of_block[2 * g.k];
    }
    const double tp = warp_sum(s.tp), p = warp_sum(s.p), t = warp_sum(s.t), smooth = double(g.smooth);
    const double a = tp + smooth, b = tp + double(g.alpha) * (p - tp) + double(g.beta) * (t - tp) + smooth;
    if (lane > 0) continue;
    saved[2 * i] = float(a), saved[2 * i + 1] = float(b);
    total += b == 0 ? 1 : a / b;
  }
  total = block_sum<kLossThreads>(total);
  if (threadIdx.x == 0) *loss = g.groups == 0 ? 0.0f : float(1 - total / double(g.groups * g.k));
}

// Reads 4 bytes a value and 4 of the target, writes 4 a value; the groups' A and B stay in the cache. Two exponentials
// and two quotients a value.
struct Backward {
  static constexpr int kIn = 1, kSums = 0;
  static constexpr bool kOut = true;
  TverskySpec g;
  const float* dy;
  const int32_t* target;
  const float* saved;

  // dL/dp of class j
  __device__ float slope(const float* ab, int j, float scale, bool is_class) const {
    const float a = ab[2 * j], b = ab[2 * j + 1];
    if (b == 0) return 0;
    const float part = a / b;
    return scale / b * (is_class ? (1 - g.beta) * part - 1 : g.alpha * part);
  }
  template <class Row>
  __device__ void at(const Row& row, int64_t i, Sums<0>&) const {
    const int32_t t = target[i];
    if (!takes_part(t, class_count(g.k))) return row.for_each([&](int j) { row.out(j) = 0; });
    const int64_t group = g.groups == 1 ? 0 : i / g.rows;
    const float* ab = saved + 2 * group * g.k;
    const float scale = *dy / float(g.groups * g.k);
    if (is_binary(g.k))
      return row.for_each([&](int j) {
        const float p = sigmoid_of(row.in(j));
        row.out(j) = p * (1 - p) * slope(ab, j, scale, t == 1);
      });
    const RowScale s = scale_of(row);
    const float mean =
        s.scale * row.template fold<Plus>([&](int j) { return expf(row.in(j)-s.max) * slope(ab, j, scale, j == t); });
    row.for_each([&](int j) { row.out(j) = expf(row.in(j)-s.max) * s.scale * (slope(ab, j, scale, j == t) - mean); });
  }
};

void forward(const Exec& exec, const TverskySpec& g, const Tversky::Forward<float>& a) {
  const Plan plan(g);
  double* sums = static_cast<double*>(exec.scratch);
  LaunchConfig config{
      .grid = dim3(unsigned(plan.blocks), unsigned(g.groups)), .block = kRowThreads, .stream = stream_of(exec)};
  if (g.k <= kMaxThreadRow) {
    config.shared_bytes = size_t(kRowThreads) * size_t(g.k | 1) * sizeof(float);
    KERN_LAUNCH(tversky_sums_kernel, config, g, a.x, a.target, sums);
  } else {
    RowScale* scales = reinterpret_cast<RowScale*>(sums + plan.sums);
    for_each_class_row("tversky_long_rows", exec, g.groups * g.rows, g.k, {.in = {{a.x, g.x_pitch()}}},
                       LongRows{scales});
    config.grid.z = unsigned(ceil_div(g.k, kRowThreads));
    KERN_LAUNCH(tversky_long_sums_kernel, config, g, a.x, a.target, scales, sums);
  }
  config = {.grid = 1, .block = kLossThreads, .stream = stream_of(exec)};
  KERN_LAUNCH(tversky_loss_kernel, config, g, plan.blocks, sums, a.loss, a.saved);
}
void backward(const Exec& exec, const TverskySpec& g, const Tversky::Backward<float>& a) {
  for_each_class_row("tversky_backward", exec, g.groups * g.rows, g.k,
                     {.in = {{a.x, g.x_pitch()}}, .out = a.dx, .out_pitch = g.dx_pitch()},
                     Backward{g, a.dy, a.target, a.saved});
}

}  // namespace

Implementation<Tversky> Tversky::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace =
              [](const TverskySpec& g) {
                const int64_t long_rows = g.k <= kMaxThreadRow ? 0 : g.groups * g.rows;
                return size_t(Plan(g).sums) * sizeof(double) + size_t(long_rows) * sizeof(RowScale);
              },
          .forward = forward,
          .backward = backward};
}

}  // namespace kern::kernels
