#include "benchmarks/kernel_timers.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/matmul/linear.h"
#include "kernels/recurrent/lstm.h"

namespace kern::benchmarks {
namespace {

// "4x64x64 16->32 3x3"; of a volume "4x64x64x64 16->32 3x3x3".
std::string sizes_of(const auto& g, bool volume) {
  return text(g.n, "x", volume ? text(g.d, "x") : "", g.h, "x", g.w, " ", g.c, "->", g.k, " ",
              volume ? text(g.t, "x") : "", g.r, "x", g.s);
}
std::string shape_of(const Conv2dSpec& g) {
  return text(sizes_of(g, g.volume()), g.stride_w > 1 ? text(" s", g.stride_w) : "",
              g.groups > 1 ? text(" g", g.groups) : "", g.x_pitch() != g.c ? text(" pitch ", g.x_pitch()) : "");
}
std::string shape_of(const ConvTranspose2dSpec& g) {
  return text(sizes_of(g, g.as_conv().volume()), g.stride_w > 1 ? text(" s", g.stride_w) : "");
}
std::string shape_of(const LinearSpec& g) { return text(g.rows, " ", g.c, "->", g.k); }
// Those of the ops that can be tuned stand in engine/benchmark_cases.h.
template <class Impl, class Spec>
Directions directions(const Impl& impl, const Spec& g, const Exec& e, BenchmarkArrays& a) {
  Directions all;
  for (const BenchmarkCase<Impl>& trial : BenchmarkCases<Impl>::of(g)) {
    if (std::string_view(trial.entry).starts_with("backward_data_")) continue;  // the same sums as backward_data
    const BenchmarkCall<Impl> call = trial.prepare(a);
    BenchmarkOutput out = call.out;
    if (out.pitch != out.columns) out.rows = 1;  // between rows lies what nobody wrote
    all.emplace_back(
        trial.entry, trial.flops, trial.bytes, [run = call.run, &impl, e] { run(impl, e); }, out);
  }
  return all;
}

std::string shape_of(const LstmSpec& g) {
  return text(g.n, "x", g.l, " ", g.c, "->", g.h, g.reverse ? " reverse" : "");
}
Directions directions(const LstmImpl& impl, const LstmSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t xs = g.rows() * g.x_pitch(), ys = g.rows() * g.h, weights = g.gates() * (g.c + g.h);
  float *x = a.input(xs), *w_ih = a.input(g.gates() * g.c), *w_hh = a.input(g.gates() * g.h, -0.1f, 0.1f),
        *b_ih = a.input(g.gates()), *b_hh = a.input(g.gates()), *dy = a.input(ys), *y = a.output(ys),
        *gates = a.output(g.rows() * g.gates()), *cells = a.output(ys), *dx = a.output(g.rows() * g.c),
        *dw_ih = a.output(g.gates() * g.c), *dw_hh = a.output(g.gates() * g.h), *db = a.output(g.gates());
  const double flops = 2 * double(g.rows()) * double(weights);
  const double n = double(g.rows()), kept = n * double(g.gates() + g.h);  // gates and cells, for backward
  const auto forward = [=, &impl] { impl.forward(e, g, x, w_ih, w_hh, b_ih, b_hh, y, gates, cells); };
  forward();
  return {{"forward", flops, floats(n * double(g.c + g.h) + kept), forward, y, ys},
          {"backward", 2 * flops, floats(2 * n * double(g.c + g.h) + kept),
           [=, &impl] { impl.backward(e, g, dy, x, w_ih, w_hh, y, gates, cells, dx, dw_ih, dw_hh, db); }, dx,
           g.rows() * g.c}};
}

struct Cases {
  static std::string name_of(const auto& spec) { return shape_of(spec); }
  static Directions directions_of(const auto& impl, const auto& spec, const Exec& exec, BenchmarkArrays& arrays) {
    return directions(impl, spec, exec, arrays);
  }
  // In bytes: those that a direction moves, or what a GPU moves while it multiplies (200 operations a byte).
  template <class Impl>
  requires requires { BenchmarkCases<Impl>::registry; }
  static double weight_of(const auto& spec) {
    const auto forward = BenchmarkCases<Impl>::of(spec)[0];
    return std::max(forward.bytes, forward.flops / 200);
  }
};

}  // namespace

void add_product_timers(Timers& timers, int64_t values) {
  const int side = values >= 1 << 20 ? 64 : 8;
  const int64_t steps = values >= 1 << 20 ? 256 : 8;
  const int edge = side / 2;
  const auto volume = [edge](int c, int k) {
    return Conv2dSpec{.n = 1,
                      .c = c,
                      .h = edge,
                      .w = edge,
                      .k = k,
                      .r = 3,
                      .s = 3,
                      .pad_top = 1,
                      .pad_bottom = 1,
                      .pad_left = 1,
                      .pad_right = 1,
                      .d = edge,
                      .t = 3,
                      .pad_front = 1,
                      .pad_back = 1};
  };
  add_timers<Cases, Conv2dSpec>(timers, conv2d_registry(), conv2d_registry<Bf16>(),
                                {{.n = 4,
                                  .c = 64,
                                  .h = side,
                                  .w = side,
                                  .k = 64,
                                  .r = 3,
                                  .s = 3,
                                  .pad_top = 1,
                                  .pad_bottom = 1,
                                  .pad_left = 1,
                                  .pad_right = 1},
                                 volume(1, 16),
                                 volume(16, 16),
                                 volume(64, 32)});
  add_timers<Cases, ConvTranspose2dSpec>(
      timers, conv_transpose2d_registry(), conv_transpose2d_registry<Bf16>(),
      {{.n = 4, .c = 64, .h = side, .w = side, .k = 32, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
       {.n = 4,
        .c = 64,
        .h = side,
        .w = side,
        .k = 32,
        .r = 4,
        .s = 4,
        .stride_h = 2,
        .stride_w = 2,
        .crop_top = 1,
        .crop_bottom = 1,
        .crop_left = 1,
        .crop_right = 1},
       {.n = 1,
        .c = 64,
        .h = edge,
        .w = edge,
        .k = 32,
        .r = 2,
        .s = 2,
        .stride_h = 2,
        .stride_w = 2,
        .d = edge,
        .t = 2,
        .stride_d = 2}});
  add_timer<Cases, LinearSpec>(timers, linear_registry(), {{.rows = 16 * steps, .c = 512, .k = 512}});
  add_timer<Cases, LstmSpec>(timers, lstm_registry(),
                             {{.n = 1, .l = steps, .c = 16, .h = 64},
                              {.n = 16, .l = steps, .c = 16, .h = 64},
                              {.n = 16, .l = steps, .c = 128, .h = 128}});
}

}  // namespace kern::benchmarks
