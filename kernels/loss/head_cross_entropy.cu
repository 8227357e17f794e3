#include "kernels/elementwise/cast.h"
#include "kernels/loss/cross_entropy.cuh"
#include "kernels/loss/head_cross_entropy.h"

namespace kern::kernels {
namespace {

// The mean's divisor comes first: the gradients need it. For a head of few weights (most are) one kernel does the rest:
// thread blocks of as many threads as a tile has rows go through tiles in turn. In shared memory:
//
//             wide C                    wide K
//   w  [wide K] rows: the weights, then the biases; there from beginning to end
//          +--- wide C + 1 ---+     +-- wide K + 1 --+
//   row 0  |                  |     |                |   thread 0
//   row 1  |        x         | --> |   z, then dz   |   thread 1      load_tile, then a thread a row:
//    ...   |    (then dx)     | <-- |                |    ...          logits_of_row, loss_of_row, dx_of_row
//          +------------------+     +----------------+
//               c4..c4+3                 k4..k4+3        add_weight_gradients: thread (part, k4, c4) has 4 x 4 weights'
//                                                        gradients in registers, over the rows part, part + parts, ...
//
// Gradients take the place of what they are the gradients of, the weights' stay in registers from tile to tile. So x is
// read once, dx written once, 8 C bytes a row (4 C of bf16), for 6 K C multiply-adds: up to C K of about 500 bound by
// memory. Other heads go through linear's and cross_entropy's implementations with all logits in scratch, and bf16 as
// copies in float.
constexpr int kMaxBlocks = 1024, kWide = 8;     // logits, or channels, that a thread makes at a time
constexpr size_t kMaxShared = 99 * 1024 - 128;  // what a block may have on any GPU since sm_80, less block_sum's own
constexpr int round_up(int64_t v, int to) { return int((v + to - 1) / to * to); }

// Shared memory in floats, and who adds which weights' gradients.
struct Layout {
  int c, k, wide_c, wide_k;  // the latter rounded up, the rest zeros
  int x_stride, z_stride;    // odd
  int blocks_c, blocks, parts;
  constexpr Layout(const HeadCrossEntropySpec& g, int threads)
      : c(int(g.c)),
        k(int(g.k)),
        wide_c(round_up(g.c, kWide)),
        wide_k(round_up(g.k, kWide)),
        x_stride(wide_c + 1),
        z_stride(wide_k + 1),
        blocks_c((c + 3) / 4),
        blocks((k + 3) / 4 * blocks_c),
        parts(blocks > threads ? 0 : threads / blocks) {}
  constexpr int weights() const { return wide_k * (wide_c + 1); }  // and the biases
  constexpr size_t bytes(int threads) const {
    return size_t(weights() + threads * (x_stride + z_stride)) * sizeof(float);
  }
};
// The threads of a block, or 0: too many weights.
constexpr int threads_of(const HeadCrossEntropySpec& g) {
  if (g.c > 256 || g.k > kMaxThreadRow) return 0;
  for (int threads : {128, 192}) {
    const Layout at(g, threads);
    if (at.parts > 0 && at.bytes(threads) <= kMaxShared) return threads;
  }
  return 0;
}
constexpr int64_t tile_blocks(const HeadCrossEntropySpec& g, int threads) {
  const int64_t tiles = ceil_div(g.rows, threads);
  return tiles < 1 ? 1 : tiles > kMaxBlocks ? kMaxBlocks : tiles;
}
constexpr size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

struct TargetWeight {
  const int32_t* target;
  const float* weight;
  int64_t k;
  __device__ float operator()(int64_t row, int64_t column) const {
    const int32_t t = target[row + column];
    return !takes_part(t, k) ? 0 : weight ? weight[t] : 1;
  }
};

// One thread per row of a tile of kThreads, and what it knows throughout. The steps stand in the order of a tile.
template <int kThreads, class X>
struct HeadTile {
  const HeadCrossEntropySpec& g;
  const HeadInputs<float, X>& in;
  const HeadOutputs<float, X>& out;
  const Layout& at;
  float *const weights, *const x, *const z;  // in shared memory: [wide K][wide C] and the biases, then the tile's
  const int id = int(threadIdx.x), c_of_w = at.wide_c;
  float *const my_x = x + id * at.x_stride, *const my_z = z + id * at.z_stride;
  // Whose weights' gradients this thread adds: of 4 logits by 4 channels, over every parts-th row.
  const int part = id / at.blocks, k4 = id % at.blocks / at.blocks_c * 4, c4 = id % at.blocks % at.blocks_c * 4;
  float dw[4][4] = {}, db[4] = {};
  Sums<2> losses{};  // weighted, and the weights

  // The rest of wide C and wide K is zeros.
  __device__ __forceinline__ void load_weights() {
    for (int i = id; i < at.weights(); i += kThreads) {
      const int row = i / c_of_w, column = i % c_of_w, bias = i - at.wide_k * c_of_w;
      const bool inside = bias < 0 ? row < at.k && column < at.c : bias < at.k && in.b;
      weights[i] = !inside ? 0 : bias < 0 ? in.w[row * at.c + column] : in.b[bias];
    }
    for (int i = at.c; i < at.x_stride; ++i) x[id * at.x_stride + i] = 0;
  }

  // f(row, column) of the tile's x, neighbours to neighbouring threads.
  template <class F>
  __device__ __forceinline__ void for_each_of_x(int count, F&& f) const {
    const int row_step = kThreads / at.c, column_step = kThreads % at.c;
    int row = id / at.c, column = id % at.c;
    for (; row < count; row += row_step, column += column_step) {
      if (column >= at.c) {
        column -= at.c;
        if (++row >= count) break;
      }
      f(row, column);
    }
  }
  __device__ __forceinline__ void load_tile(int64_t first, int count) {
    const X* from = in.x + first * g.x_pitch();
    for_each_of_x(count, [&](int row, int column) {
      x[row * at.x_stride + column] = load<1>(from + row * g.x_pitch() + column).v[0];
    });
  }
  __device__ __forceinline__ void store_tile(int64_t first, int count) {
    X* to = out.dx + first * g.dx_pitch();
    for_each_of_x(count, [&](int row, int column) {
      store(to + row * g.dx_pitch() + column, Pack<1>{{x[row * at.x_stride + column]}});
    });
  }

  // z = w x + b
  __device__ __forceinline__ void logits_of_row() {
    for (int k = 0; k < at.wide_k; k += kWide) {
      float sum[kWide];
#pragma unroll
      for (int i = 0; i < kWide; ++i) sum[i] = weights[at.wide_k * c_of_w + k + i];
      for (int c = 0; c < at.wide_c; c += 4) {
        const float v[4] = {my_x[c], my_x[c + 1], my_x[c + 2], my_x[c + 3]};
#pragma unroll
        for (int i = 0; i < kWide; ++i) {
          const Pack<4> w = load<4>(weights + (k + i) * c_of_w + c);
#pragma unroll
          for (int j = 0; j < 4; ++j) sum[i] += w.v[j] * v[j];
        }
      }
#pragma unroll
      for (int i = 0; i < kWide; ++i) my_z[k + i] = sum[i];
    }
  }
  // The prediction, the loss, and dz in the place of z.
  __device__ __forceinline__ void loss_of_row(const CrossEntropySpec& loss, int64_t first, const float* total,
                                              float scale, bool wants_gradient) {
    const ThreadRow row{my_z, 0, at.k};
    const int32_t t = in.target[first + id];
    const bool counts = takes_part(t, g.k);
    if (out.prediction) {
      int best = 0;
      for (int k = 1; k < at.k; ++k)
        if (my_z[k] > my_z[best]) best = k;
      out.prediction[first + id] = best;
    }
    CrossEntropyNumbers numbers{};
    if (counts) {
      losses.v[0] += double(cross_entropy_row_loss(loss, row, t, in.weight, numbers));
      losses.v[1] += double(in.weight ? in.weight[t] : 1);
    }
    if (!wants_gradient) return;
    if (counts && *total != 0) cross_entropy_row_gradient(loss, row, t, in.weight, numbers, scale);
    else row.for_each([&](int j) { row.out(j) = 0; });
    for (int k = at.k; k < at.wide_k; ++k) my_z[k] = 0;
  }
  // dw += dz^T x, db += the sums of dz
  __device__ __forceinline__ void add_weight_gradients(int count) {
    for (int i = part; part < at.parts && i < count; i += at.parts) {
      const float *d = z + i * at.z_stride + k4, *v = x + i * at.x_stride + c4;
#pragma unroll
      for (int a = 0; a < 4; ++a) {
        const float d_of_k = d[a];
        db[a] += d_of_k;
#pragma unroll
        for (int b = 0; b < 4; ++b) dw[a][b] += d_of_k * v[b];
      }
    }
  }
  // dx = dz w, in the place of x
  __device__ __forceinline__ void dx_of_row() {
    for (int c = 0; c < at.c; c += kWide) {
      float sum[kWide] = {};
      for (int k = 0; k < at.k; ++k) {
        const float d = my_z[k];
        const Pack<4> low = load<4>(weights + k * c_of_w + c), high = load<4>(weights + k * c_of_w + c + 4);
#pragma unroll
        for (int j = 0; j < 4; ++j) sum[j] += low.v[j] * d, sum[4 + j] += high.v[j] * d;
      }
#pragma unroll
      for (int j = 0; j < kWide; ++j)
        if (c + j < at.c) my_x[c + j] = sum[j];
    }
  }
  // Of this thread block, [K C + K]: the parts of a gradient are added in order, one of the 4 x 4 (and of the 4 biases) at
  // a time.
  __device__ __forceinline__ void store_weight_gradients(float* gradients) {
#pragma unroll
    for (int a = 0; a < 4; ++a)
#pragma unroll
      for (int b = 0; b < 5; ++b) {
        __syncthreads();
        z[id] = b < 4 ? dw[a][b] : db[a];
        __syncthreads();
        if (part > 0 || k4 + a >= at.k || (b < 4 ? c4 + b >= at.c : c4 > 0)) continue;
        float sum = 0;
        for (int p = 0; p < at.parts; ++p) sum += z[p * at.blocks + id];
        gradients[b < 4 ? (k4 + a) * at.c + c4 + b : g.w_size() + k4 + a] = sum;
      }
  }
};

// `sums` and `gradients` hold a chunk for every thread block, the latter of K C + K.
template <int kThreads, class X>
__global__ void __launch_bounds__(kThreads, kThreads == 128 ? 4 : 2)
    head_cross_entropy_kernel(HeadCrossEntropySpec g, HeadInputs<float, X> in, HeadOutputs<float, X> out,
                              const float* total, Sums<2>* sums, float* gradients) {
  const Layout at(g, kThreads);
  float* const weights = KERN_DYNAMIC_SHARED(float);
  float* const x = weights + at.weights();
  HeadTile<kThreads, X> tile{g, in, out, at, weights, x, x + kThreads * at.x_stride};
  const CrossEntropySpec loss = g.cross_entropy(g.rows);
  const float scale = *total == 0 ? 0 : 1 / *total;
  const bool wants_weights = out.dw || out.db, wants_any = wants_weights || out.dx;

  tile.load_weights();
  for (int64_t first = int64_t(blockIdx.x) * kThreads; first < g.rows; first += int64_t(gridDim.x) * kThreads) {
    const int count = g.rows - first < kThreads ? int(g.rows - first) : kThreads;
    __syncthreads();  // the tile before has been written
    tile.load_tile(first, count);
    __syncthreads();
    if (tile.id < count) {
      tile.logits_of_row();
      tile.loss_of_row(loss, first, total, scale, wants_any);
    }
    if (!wants_any) continue;
    __syncthreads();
    if (wants_weights) tile.add_weight_gradients(count);
    if (!out.dx) continue;
    __syncthreads();
    if (tile.id < count) tile.dx_of_row();
    __syncthreads();
    tile.store_tile(first, count);
  }
  store_block_sums<kThreads>(tile.losses, sums);
  if (wants_weights) tile.store_weight_gradients(gradients + int64_t(blockIdx.x) * (g.w_size() + g.k));
}

// dw and db from the blocks' sums: a block of 32 values x 8, thread (i, r) adds those of blocks r, r + 8, ...
constexpr int kLanes = 32, kAdders = 8;
__global__ void __launch_bounds__(kLanes* kAdders)
    head_cross_entropy_weights_kernel(HeadCrossEntropySpec g, int64_t blocks, const float* gradients, float* dw,
                                      float* db) {
  KERN_SHARED(double[kAdders][kLanes], of_thread);
  const int64_t values = g.w_size() + g.k, i = int64_t(blockIdx.x) * kLanes + threadIdx.x;
  double sum = 0;
  for (int64_t b = threadIdx.y; b < blocks && i < values; b += kAdders) sum += double(gradients[b * values + i]);
  of_thread[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y > 0 || i >= values) return;
  for (int r = 1; r < kAdders; ++r) sum += of_thread[r][threadIdx.x];
  if (i < g.w_size()) {
    if (dw) dw[i] = float(sum);
  } else if (db) db[i - g.w_size()] = float(sum);
}

// One thread per row: the class of the largest logit.
constexpr int kCountThreads = 256;
__global__ void __launch_bounds__(kCountThreads)
    head_predictions_kernel(int64_t rows, int64_t k, const float* z, int32_t* prediction) {
  const int64_t i = int64_t(blockIdx.x) * kCountThreads + threadIdx.x;
  if (i < rows) head_predictions(1, k, z + i * k, prediction + i);
}
// One thread per row; integer atomics give the same counts in any order. Blocks of a few thousand rows count in shared
// memory first where the table is small.
constexpr int kMaxCounts = 2048;
__global__ void __launch_bounds__(kCountThreads) head_confusion_kernel(int64_t rows, int64_t k, const int32_t* target,
                                                                       const int32_t* prediction, int32_t* confusion) {
  KERN_SHARED(int[kMaxCounts], counts);
  const bool few = k * k <= kMaxCounts;
  for (int64_t i = threadIdx.x; few && i < k * k; i += kCountThreads) counts[i] = 0;
  __syncthreads();
  for (int64_t i = int64_t(blockIdx.x) * kCountThreads + threadIdx.x; i < rows; i += int64_t(gridDim.x) * kCountThreads)
    if (takes_part(target[i], k)) {
      const int64_t pair = target[i] * k + prediction[i];
      if (few) atomicAdd(&counts[pair], 1);
      else atomicAdd(&confusion[pair], 1);
    }
  __syncthreads();
  for (int64_t i = threadIdx.x; few && i < k * k; i += kCountThreads)
    if (counts[i] > 0) atomicAdd(&confusion[i], counts[i]);
}
__global__ void head_set_one_kernel(float* one) { *one = 1; }

// Where things lie in scratch: total and a 1, what the parts need for themselves, then what they leave for each other.
struct Plan {
  int threads;
  int64_t blocks;
  LinearSpec linear;
  CrossEntropySpec loss;
  size_t work = 64, kept = 0, end = 0;  // bytes from the beginning
  explicit Plan(const HeadCrossEntropySpec& g)
      : threads(threads_of(g)),
        blocks(tile_blocks(g, threads ? threads : 1)),
        linear(g.linear(g.rows)),
        loss(g.cross_entropy(g.rows)) {
    size_t bytes = device_sum_workspace(g.rows);
    if (threads == 0) bytes = std::max({bytes, linear_impl().workspace(linear), CrossEntropy::cuda().workspace(loss)});
    else bytes = std::max(bytes, size_t(blocks) * sizeof(Sums<2>));
    kept = work + aligned(bytes);
    end = kept +
          (threads ? size_t(blocks * (g.w_size() + g.k)) : size_t(g.rows * g.k + loss.saved().size())) * sizeof(float);
  }
  const LinearImpl& linear_impl() const { return select(linear_registry(), Device::cuda, linear); }
};

template <int kThreads, class X>
void run_tiles(const Exec& exec, const Plan& plan, const HeadCrossEntropySpec& g, const HeadInputs<float, X>& in,
               const HeadOutputs<float, X>& out, const float* total, Sums<2>* sums, float* gradients) {
  const LaunchConfig config{.grid = unsigned(plan.blocks),
                            .block = kThreads,
                            .shared_bytes = Layout(g, kThreads).bytes(kThreads),
                            .stream = stream_of(exec)};
  KERN_LAUNCH((head_cross_entropy_kernel<kThreads, X>), config, g, in, out, total, sums, gradients);
}

// How often each class was mistaken for which.
void count_confusion(const Exec& exec, const HeadCrossEntropySpec& g, const int32_t* target, const int32_t* prediction,
                     int32_t* confusion) {
  cuda_check(cudaMemsetAsync(confusion, 0, size_t(g.k * g.k) * sizeof(int32_t), stream_of(exec)),
             "head_cross_entropy: clearing the confusion counts");
  LaunchConfig config = over(g.rows, kCountThreads, exec);
  config.grid.x = std::min(config.grid.x, 512u);
  KERN_LAUNCH(head_confusion_kernel, config, g.rows, g.k, target, prediction, confusion);
}

template <class X>
void by_tiles(const Exec& exec, const HeadCrossEntropySpec& g, const HeadInputs<float, X>& in,
              const HeadOutputs<float, X>& out) {
  const Plan plan(g);
  std::byte* const scratch = static_cast<std::byte*>(exec.scratch);
  float *const total = reinterpret_cast<float*>(scratch), *const kept = reinterpret_cast<float*>(scratch + plan.kept);
  const Exec work{.stream = exec.stream, .scratch = scratch + plan.work};
  device_sum("head_cross_entropy_total", work, g.rows, 1, true, TargetWeight{in.target, in.weight, g.k}, total);
  Sums<2>* sums = static_cast<Sums<2>*>(work.scratch);
  if (plan.threads == 128) run_tiles<128, X>(exec, plan, g, in, out, total, sums, kept);
  else run_tiles<192, X>(exec, plan, g, in, out, total, sums, kept);
  finish_sums("head_cross_entropy_loss", exec, plan.blocks, sums, MeanOfSums{out.loss, total + 1});
  if (out.dw || out.db) {
    LaunchConfig config = over(g.w_size() + g.k, kLanes, exec);
    config.block = dim3(kLanes, kAdders);
    KERN_LAUNCH(head_cross_entropy_weights_kernel, config, g, plan.blocks, kept, out.dw, out.db);
  }
}

void by_parts(const Exec& exec, const HeadCrossEntropySpec& g, const HeadInputs<float>& in,
              const HeadOutputs<float>& out) {
  const Plan plan(g);
  std::byte* const scratch = static_cast<std::byte*>(exec.scratch);
  float *const total = reinterpret_cast<float*>(scratch), *const kept = reinterpret_cast<float*>(scratch + plan.kept);
  const Exec work{.stream = exec.stream, .scratch = scratch + plan.work};
  const LinearImpl& linear = plan.linear_impl();
  const Implementation<CrossEntropy> loss = CrossEntropy::cuda();
  float *z = kept, *saved = z + g.rows * g.k, *one = total;
  linear.forward(work, plan.linear, in.x, in.w, in.b, z);
  loss.forward(work, plan.loss, {z, in.target, in.weight, out.loss, saved});
  if (out.prediction)
    KERN_LAUNCH(head_predictions_kernel, over(g.rows, kCountThreads, exec), g.rows, g.k, z, out.prediction);
  if (out.dx || out.dw || out.db) {
    KERN_LAUNCH(head_set_one_kernel, over(1, 1, exec), one);
    loss.backward(work, plan.loss, {one, z, in.target, in.weight, saved, z});  // logits become their gradients
    if (out.dx) linear.backward_data(work, plan.linear, z, in.w, out.dx);
    if (out.dw) linear.backward_weight(work, plan.linear, z, in.x, out.dw);
    if (out.db) linear.backward_bias(work, plan.linear, z, out.db);
  }
}
// Copies of x and dx as floats lie before the scratch of by_parts.
HeadCrossEntropySpec of_copies(HeadCrossEntropySpec g) {
  g.pitch = {};
  return g;
}
size_t bytes_of_copy(const HeadCrossEntropySpec& g) { return aligned(size_t(g.rows * g.c) * sizeof(float)); }
void by_parts(const Exec& exec, const HeadCrossEntropySpec& g, const HeadInputs<float, Bf16>& in,
              const HeadOutputs<float, Bf16>& out) {
  std::byte* const scratch = static_cast<std::byte*>(exec.scratch);
  float *const x = reinterpret_cast<float*>(scratch), *const dx = reinterpret_cast<float*>(scratch + bytes_of_copy(g));
  const CastImpl casts = cast_cuda_impl();
  casts.widen(exec, {.rows = g.rows, .c = g.c, .pitch = {.x = g.x_pitch()}}, in.x, x);
  by_parts({.stream = exec.stream, .scratch = scratch + 2 * bytes_of_copy(g)}, of_copies(g),
           {.x = x, .w = in.w, .b = in.b, .target = in.target, .weight = in.weight},
           {.loss = out.loss, .dx = out.dx ? dx : nullptr, .dw = out.dw, .db = out.db, .prediction = out.prediction});
  if (out.dx) casts.narrow(exec, {.rows = g.rows, .c = g.c, .pitch = {.y = g.dx_pitch()}}, dx, out.dx);
}

template <class X>
size_t workspace(const HeadCrossEntropySpec& g) {
  if (std::is_same_v<X, float> || threads_of(g) > 0) return Plan(g).end;
  return 2 * bytes_of_copy(g) + Plan(of_copies(g)).end;
}
template <class X>
void forward(const Exec& exec, const HeadCrossEntropySpec& g, const HeadInputs<float, X>& in,
             const HeadOutputs<float, X>& out) {
  if (threads_of(g) > 0) by_tiles(exec, g, in, out);
  else by_parts(exec, g, in, out);
  if (out.confusion) count_confusion(exec, g, in.target, out.prediction, out.confusion);
}

template <class X>
struct Scale {
  const float* dy;
  X* v;
  int64_t pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    Pack<W> all = load<W>(v + row * pitch + column);
    const float f = *dy;
#pragma unroll
    for (float& e : all.v) e *= f;
    store(v + row * pitch + column, all);
  }
};

template <class X>
void scale(const Exec& exec, const float* dy, X* v, int64_t rows, int64_t c, int64_t pitch) {
  if (v) for_each_value("head_cross_entropy_backward", exec, rows, c, {{v, pitch}}, Scale<X>{dy, v, pitch});
}
template <class X>
void backward(const Exec& exec, const HeadCrossEntropySpec& g, const float* dy, X* dx, float* dw, float* db) {
  scale(exec, dy, dx, g.rows, g.c, g.dx_pitch());
  scale(exec, dy, dw, g.k, g.c, g.c);
  scale(exec, dy, db, 1, g.k, g.k);
}

}  // namespace

template <class X>
HeadCrossEntropyImplOf<X> head_cross_entropy_cuda_impl() {
  return {.name = std::is_same_v<X, Bf16> ? "cuda_bf16" : "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = workspace<X>,
          .forward = forward<X>,
          .backward = backward<X>};
}
template HeadCrossEntropyImpl head_cross_entropy_cuda_impl<float>();
template HeadCrossEntropyImplOf<Bf16> head_cross_entropy_cuda_impl<Bf16>();

}  // namespace kern::kernels
