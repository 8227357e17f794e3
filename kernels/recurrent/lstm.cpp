#include "kernels/recurrent/lstm.h"

#include <algorithm>

#include "kernels/matmul/linear.h"

namespace kern::kernels {
namespace {

// Parts of scratch begin at multiples of 64 bytes.
constexpr size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }
Exec behind(const Exec& exec, size_t bytes) {
  return {.stream = exec.stream, .scratch = static_cast<std::byte*>(exec.scratch) + aligned(bytes)};
}
const LinearImpl& linear_impl(const LinearSpec& g) { return select(linear_registry(), Device::cpu, g); }
size_t workspace_of(const LinearSpec& g) { return linear_impl(g).workspace(g); }

// a = w_ih x over all samples and steps, and backwards.
LinearSpec input_product(const LstmSpec& g) {
  return {.rows = g.rows(), .c = g.c, .k = g.gates(), .pitch = {.x = g.x_pitch(), .dx = g.dx_pitch()}};
}
// a = w_hh h over all samples and steps but the first: a's row is its h's row and one. A sample's first step follows
// the last of the sample before it; there da is 0.
LinearSpec state_product(const LstmSpec& g) {
  return {.rows = std::max<int64_t>(0, g.rows() - 1), .c = g.h, .k = g.gates(), .pitch = {.x = g.y_pitch()}};
}

size_t bias_bytes(const LstmSpec& g) { return size_t(g.gates()) * sizeof(float); }
size_t gradient_bytes(const LstmSpec& g) { return size_t(g.rows() * g.gates()) * sizeof(float); }

size_t forward_workspace(const LstmSteps& steps, const LstmSpec& g) {
  return aligned(bias_bytes(g)) + std::max(workspace_of(input_product(g)), steps.workspace(g));
}
size_t workspace(const LstmSteps& steps, const LstmSpec& g) {
  return std::max(forward_workspace(steps, g),
                  aligned(gradient_bytes(g)) +
                      std::max({workspace_of(input_product(g)), workspace_of(state_product(g)), steps.workspace(g)}));
}

void forward(const LstmSteps& steps, const Exec& exec, const LstmSpec& g, const float* x, const float* w_ih,
             const float* w_hh, const float* b_ih, const float* b_hh, float* y, float* gates, float* cells) {
  float* bias = static_cast<float*>(exec.scratch);
  for (int64_t k = 0; k < g.gates(); ++k) bias[k] = (b_ih ? b_ih[k] : 0.0f) + (b_hh ? b_hh[k] : 0.0f);
  const Exec rest = behind(exec, bias_bytes(g));
  const LinearSpec product = input_product(g);
  linear_impl(product).forward(rest, product, x, w_ih, bias, gates);
  steps.forward(g, w_hh, y, gates, cells, rest.scratch);
}

void backward(const LstmSteps& steps, const Exec& exec, const LstmSpec& g, const float* dy, const float* x,
              const float* w_ih, const float* w_hh, const float* y, const float* gates, const float* cells, float* dx,
              float* dw_ih, float* dw_hh, float* db) {
  float* da = static_cast<float*>(exec.scratch);
  const Exec rest = behind(exec, gradient_bytes(g));
  steps.backward(g, dy, w_hh, gates, cells, da, rest.scratch);
  const LinearSpec input = input_product(g), state = state_product(g);
  if (dx) linear_impl(input).backward_data(rest, input, da, w_ih, dx);
  if (dw_ih) linear_impl(input).backward_weight(rest, input, da, x, dw_ih);
  if (db) linear_impl(input).backward_bias(rest, input, da, db);
  if (!dw_hh) return;
  for (int64_t n = 0; g.l > 0 && n < g.n; ++n) std::fill_n(da + (n * g.l + g.position(0)) * g.gates(), g.gates(), 0.0f);
  const int64_t later = g.reverse ? 0 : g.gates(), earlier = g.reverse ? g.y_pitch() : 0;
  linear_impl(state).backward_weight(rest, state, da + later, y + earlier, dw_hh);
}

template <Isa isa>
LstmImpl simd() {
  return {
      .name = isa_name(isa),
      .device = Device::cpu,
      .supports = [](const LstmSpec&) { return cpu_has(isa); },
      .forward_workspace = [](const LstmSpec& g) { return forward_workspace(lstm_steps<isa>(), g); },
      .workspace = [](const LstmSpec& g) { return workspace(lstm_steps<isa>(), g); },
      .forward = [](const Exec& exec, const LstmSpec& g, const float* x, const float* w_ih, const float* w_hh,
                    const float* b_ih, const float* b_hh, float* y, float* gates,
                    float* cells) { forward(lstm_steps<isa>(), exec, g, x, w_ih, w_hh, b_ih, b_hh, y, gates, cells); },
      .backward =
          [](const Exec& exec, const LstmSpec& g, const float* dy, const float* x, const float* w_ih, const float* w_hh,
             const float* y, const float* gates, const float* cells, float* dx, float* dw_ih, float* dw_hh, float* db) {
            backward(lstm_steps<isa>(), exec, g, dy, x, w_ih, w_hh, y, gates, cells, dx, dw_ih, dw_hh, db);
          }};
}

const LstmImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward_workspace = no_workspace,
    .workspace = [](const LstmSpec& g) { return size_t(6 * g.h) * sizeof(float); },
    .forward = [](const Exec&, const LstmSpec& g, const float* x, const float* w_ih, const float* w_hh,
                  const float* b_ih, const float* b_hh, float* y, float* gates,
                  float* cells) { lstm_forward_reference(g, x, w_ih, w_hh, b_ih, b_hh, y, gates, cells); },
    .backward =
        [](const Exec& exec, const LstmSpec& g, const float* dy, const float* x, const float* w_ih, const float* w_hh,
           const float* y, const float* gates, const float* cells, float* dx, float* dw_ih, float* dw_hh, float* db) {
          lstm_backward_reference(g, dy, x, w_ih, w_hh, y, gates, cells, dx, dw_ih, dw_hh, db,
                                  static_cast<float*>(exec.scratch));
        }};

}  // namespace

const Registry<LstmImpl>& lstm_registry() {
  static const LstmImpl impls[] = {KERN_CUDA_IMPL(lstm_cuda_impl()) KERN_SIMD_IMPLS(simd), kReference};
  static const Registry<LstmImpl> registry{"lstm", impls};
  return registry;
}
OpInfo lstm_info() { return info_of(lstm_registry()); }

}  // namespace kern::kernels
