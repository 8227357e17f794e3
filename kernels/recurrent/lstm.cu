#include <algorithm>

#include "kernels/common/elementwise.cuh"
#include "kernels/matmul/linear.h"
#include "kernels/recurrent/lstm.h"

namespace kern::kernels {
namespace {

// Samples do not look at each other, so one block walks its samples through all steps in one launch: no kernel per
// step, no waiting among blocks. All products that do not depend on a step before are linear's, over all steps at once.
//
// Weights: 16 H^2 bytes, that every step of every sample reads. Where they fit into the shared memory that any GPU
// gives a block (H up to 76) they are brought there once, and a step costs 16 H^2 / 128 clocks; else they come from the
// first cache (H up to 112 on a large GPU) or the second, some times slower. Several samples in a block share each
// weight read, but leave fewer blocks: one sample where there are few, four at most.
constexpr int kMaxThreads = 1024;
constexpr size_t kMaxShared = 99 * 1024;
constexpr size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

constexpr int samples_of_block(const LstmSpec& g) { return g.n <= 128 ? 1 : g.n <= 256 ? 2 : 4; }
constexpr int64_t w_size(const LstmSpec& g) { return g.gates() * g.h; }
// Shared memory: values that a block keeps for a cell of a sample (forward: h, the gates and c; backward: four parts of
// a sum, da of the step after and f dc of it), then the weights.
constexpr int kState = 9;
constexpr size_t state_bytes(const LstmSpec& g) { return size_t(samples_of_block(g) * kState * g.h) * sizeof(float); }
constexpr bool staged(const LstmSpec& g) { return state_bytes(g) + size_t(w_size(g)) * sizeof(float) <= kMaxShared; }
LaunchConfig steps_config(const LstmSpec& g, const Exec& exec) {
  return {.grid = unsigned(ceil_div(g.n, samples_of_block(g))),
          .block = unsigned(std::min<int64_t>(kMaxThreads, ceil_div(g.gates(), 32) * 32)),
          .shared_bytes = state_bytes(g) + (staged(g) ? size_t(w_size(g)) * sizeof(float) : 0),
          .stream = stream_of(exec)};
}

// One thread per weight: w_hh^T [H,4H], which forward reads along the gates, and b_ih + b_hh.
constexpr int kThreads = 256;
__global__ void __launch_bounds__(kThreads) lstm_prepare_kernel(LstmSpec g, const float* w_hh, const float* b_ih,
                                                                const float* b_hh, float* transposed, float* bias) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < g.gates()) bias[i] = (b_ih ? b_ih[i] : 0) + (b_hh ? b_hh[i] : 0);
  if (i >= w_size(g)) return;
  const int64_t h = i / g.gates();
  transposed[i] = w_hh[(i - h * g.gates()) * g.h + h];
}

// The weights where the block reads them.
template <bool kStaged>
__device__ __forceinline__ const float* stage(const LstmSpec& g, const float* w, float* shared) {
  if constexpr (!kStaged) return w;
  else {
    for (int64_t i = threadIdx.x; i < w_size(g); i += blockDim.x) shared[i] = w[i];
    return shared;
  }
}

// One block per kSamples samples, one thread per gate value, then one per cell. gates: in, w_ih x and the biases; out,
// the gates.
template <int kSamples, bool kStaged>
__global__ void __launch_bounds__(kMaxThreads, 1)
    lstm_forward_kernel(LstmSpec g, const float* transposed, float* y, float* gates, float* cells) {
  const int H = int(g.h), gate_count = 4 * H, threads = int(blockDim.x);
  float* const h_before = KERN_DYNAMIC_SHARED(float);  // [samples][H], then the step's gates [samples][4H]
  float* const active = h_before + kSamples * H;
  float* const c_before = active + kSamples * gate_count;  // [samples][H]
  const float* const w = stage<kStaged>(g, transposed, h_before + kSamples * kState * H);
  const int64_t first = int64_t(blockIdx.x) * kSamples;
  const int samples = g.n - first < kSamples ? int(g.n - first) : kSamples;
  for (int i = int(threadIdx.x); i < kSamples * H; i += threads) h_before[i] = 0, c_before[i] = 0;
  __syncthreads();
  for (int64_t s = 0; s < g.l; ++s) {
    const int64_t at = first * g.l + g.position(s);  // of the first sample; the next is L further
    for (int k = int(threadIdx.x); k < gate_count; k += threads) {
      float input[kSamples], sum[kSamples] = {};  // the input is on its way while the sum is made
#pragma unroll
      for (int n = 0; n < kSamples; ++n) input[n] = n < samples ? gates[(at + n * g.l) * gate_count + k] : 0;
#pragma unroll 4
      for (int h = 0; h < H; ++h) {
        const float weight = w[h * gate_count + k];
#pragma unroll
        for (int n = 0; n < kSamples; ++n) sum[n] += weight * h_before[n * H + h];
      }
      const bool is_g = k >= 2 * H && k < 3 * H;
#pragma unroll
      for (int n = 0; n < kSamples; ++n) {
        const float a = input[n] + sum[n], v = is_g ? tanhf(a) : 1 / (1 + expf(-a));
        active[n * gate_count + k] = v;
        if (n < samples) gates[(at + n * g.l) * gate_count + k] = v;
      }
    }
    __syncthreads();
    for (int i = int(threadIdx.x); i < samples * H; i += threads) {
      const int n = i / H, h = i - n * H;
      const int64_t row = at + n * g.l;
      const float* a = active + n * gate_count + h;
      const float c = a[0] * a[2 * H] + a[H] * c_before[i], v = a[3 * H] * tanhf(c);
      cells[row * H + h] = c_before[i] = c;
      y[row * g.y_pitch() + h] = h_before[i] = v;
    }
    __syncthreads();
  }
}

// One block per kSamples samples; one thread per (gate, cell) adds its quarter of w_hh^T da, then one per cell makes
// da.
template <int kSamples, bool kStaged>
__global__ void __launch_bounds__(kMaxThreads, 1)
    lstm_backward_kernel(LstmSpec g, const float* dy, const float* w_hh, const float* gates, const float* cells,
                         float* da) {
  const int H = int(g.h), gate_count = 4 * H, threads = int(blockDim.x);
  float* const parts = KERN_DYNAMIC_SHARED(float);        // [samples][4][H]
  float* const after = parts + kSamples * gate_count;     // da of the step after, [samples][4][H]
  float* const dc_after = after + kSamples * gate_count;  // f dc of the step after, [samples][H]
  const float* const w = stage<kStaged>(g, w_hh, parts + kSamples * kState * H);
  const int64_t first = int64_t(blockIdx.x) * kSamples;
  const int samples = g.n - first < kSamples ? int(g.n - first) : kSamples;
  for (int i = int(threadIdx.x); i < kSamples * gate_count; i += threads) after[i] = 0;
  for (int i = int(threadIdx.x); i < kSamples * H; i += threads) dc_after[i] = 0;
  __syncthreads();
  for (int64_t s = g.l; s-- > 0;) {
    const int64_t at = first * g.l + g.position(s);
    for (int i = int(threadIdx.x); i < gate_count; i += threads) {
      const int gate = i / H, h = i - gate * H;
      float sum[kSamples] = {};
#pragma unroll 4
      for (int j = gate * H; j < (gate + 1) * H; ++j) {
        const float weight = w[j * H + h];
#pragma unroll
        for (int n = 0; n < kSamples; ++n) sum[n] += weight * after[n * gate_count + j];
      }
#pragma unroll
      for (int n = 0; n < kSamples; ++n) parts[n * gate_count + i] = sum[n];
    }
    __syncthreads();
    for (int i = int(threadIdx.x); i < samples * H; i += threads) {
      const int n = i / H, h = i - n * H;
      const int64_t row = at + n * g.l;
      const float *part = parts + n * gate_count + h, *a = gates + row * gate_count + h;
      const float in = a[0], forget = a[H], z = a[2 * H], o = a[3 * H], squashed = tanhf(cells[row * H + h]);
      const float dh = dy[row * g.dy_pitch() + h] + ((part[0] + part[H]) + (part[2 * H] + part[3 * H]));
      const float dc = dh * o * (1 - squashed * squashed) + dc_after[i];
      const float c_before = s > 0 ? cells[(row + g.before()) * H + h] : 0;
      const float d[4] = {dc * z * in * (1 - in), dc * c_before * forget * (1 - forget), dc * in * (1 - z * z),
                          dh * squashed * o * (1 - o)};
      dc_after[i] = dc * forget;
#pragma unroll
      for (int gate = 0; gate < 4; ++gate)
        da[row * gate_count + gate * H + h] = after[n * gate_count + gate * H + h] = d[gate];
    }
    __syncthreads();
  }
}

// One thread per value of da at the first steps: they have no h before them.
__global__ void __launch_bounds__(kThreads) lstm_clear_first_kernel(LstmSpec g, float* da) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x, n = i / g.gates();
  if (n < g.n) da[(n * g.l + g.position(0)) * g.gates() + i - n * g.gates()] = 0;
}

// f(integral_constant samples, bool_constant staged)
template <class F>
void with_steps(const LstmSpec& g, F&& f) {
  auto with_samples = [&](auto is_staged) {
    switch (samples_of_block(g)) {
      case 1:
        return f(std::integral_constant<int, 1>(), is_staged);
      case 2:
        return f(std::integral_constant<int, 2>(), is_staged);
      default:
        return f(std::integral_constant<int, 4>(), is_staged);
    }
  };
  if (staged(g)) with_samples(std::true_type());
  else with_samples(std::false_type());
}

const LinearImpl& row_of(const LinearSpec& g) { return select(linear_registry(), Device::cuda, g); }
size_t workspace_of(const LinearSpec& g) { return row_of(g).workspace(g); }
// The products over all samples and steps: see lstm.cpp.
LinearSpec input_product(const LstmSpec& g) {
  return {.rows = g.rows(), .c = g.c, .k = g.gates(), .pitch = {.x = g.x_pitch(), .dx = g.dx_pitch()}};
}
LinearSpec state_product(const LstmSpec& g) {
  return {.rows = std::max<int64_t>(0, g.rows() - 1), .c = g.h, .k = g.gates(), .pitch = {.x = g.y_pitch()}};
}

size_t weights_bytes(const LstmSpec& g) { return aligned(size_t(w_size(g)) * sizeof(float)); }
size_t bias_bytes(const LstmSpec& g) { return aligned(size_t(g.gates()) * sizeof(float)); }
size_t gradient_bytes(const LstmSpec& g) { return aligned(size_t(g.rows() * g.gates()) * sizeof(float)); }
size_t forward_workspace(const LstmSpec& g) {
  return weights_bytes(g) + bias_bytes(g) + workspace_of(input_product(g));
}
size_t workspace(const LstmSpec& g) {
  return std::max(forward_workspace(g),
                  gradient_bytes(g) + std::max(workspace_of(input_product(g)), workspace_of(state_product(g))));
}

void forward(const Exec& exec, const LstmSpec& g, const float* x, const float* w_ih, const float* w_hh,
             const float* b_ih, const float* b_hh, float* y, float* gates, float* cells) {
  std::byte* const scratch = static_cast<std::byte*>(exec.scratch);
  float *transposed = reinterpret_cast<float*>(scratch), *bias = reinterpret_cast<float*>(scratch + weights_bytes(g));
  KERN_LAUNCH(lstm_prepare_kernel, over(w_size(g), kThreads, exec), g, w_hh, b_ih, b_hh, transposed, bias);
  const LinearSpec product = input_product(g);
  row_of(product).forward({.stream = exec.stream, .scratch = scratch + weights_bytes(g) + bias_bytes(g)}, product, x,
                          w_ih, bias, gates);
  with_steps(g, [&](auto samples, auto is_staged) {
    KERN_LAUNCH((lstm_forward_kernel<samples(), is_staged()>), steps_config(g, exec), g, transposed, y, gates, cells);
  });
}

void backward(const Exec& exec, const LstmSpec& g, const float* dy, const float* x, const float* w_ih,
              const float* w_hh, const float* y, const float* gates, const float* cells, float* dx, float* dw_ih,
              float* dw_hh, float* db) {
  float* da = static_cast<float*>(exec.scratch);
  const Exec rest{.stream = exec.stream, .scratch = static_cast<std::byte*>(exec.scratch) + gradient_bytes(g)};
  with_steps(g, [&](auto samples, auto is_staged) {
    KERN_LAUNCH((lstm_backward_kernel<samples(), is_staged()>), steps_config(g, exec), g, dy, w_hh, gates, cells, da);
  });
  const LinearSpec input = input_product(g), state = state_product(g);
  if (dx) row_of(input).backward_data(rest, input, da, w_ih, dx);
  if (dw_ih) row_of(input).backward_weight(rest, input, da, x, dw_ih);
  if (db) row_of(input).backward_bias(rest, input, da, db);
  if (!dw_hh) return;
  if (g.l > 0) KERN_LAUNCH(lstm_clear_first_kernel, over(g.n * g.gates(), kThreads, exec), g, da);
  const int64_t later = g.reverse ? 0 : g.gates(), earlier = g.reverse ? g.y_pitch() : 0;
  row_of(state).backward_weight(rest, state, da + later, y + earlier, dw_hh);
}

}  // namespace

LstmImpl lstm_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward_workspace = forward_workspace,
          .workspace = workspace,
          .forward = forward,
          .backward = backward};
}

}  // namespace kern::kernels
