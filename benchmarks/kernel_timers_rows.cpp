#include "benchmarks/op_timer.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/prelu.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/group_norm.h"
#include "kernels/norm/instance_norm.h"
#include "kernels/norm/norm_act.h"
#include "kernels/pool/avg_pool.h"
#include "kernels/pool/global_avg_pool.h"
#include "kernels/pool/max_pool.h"
#include "kernels/pool/upsample.h"
#include "kernels/shape/pad.h"
#include "kernels/softmax/log_softmax.h"
#include "kernels/softmax/softmax.h"

namespace kern::benchmarks {
namespace {

std::string shape_of(const NormActSpec& g) {
  return text(g.n, "x", g.rows, "x", g.c, g.per_sample ? " instance" : " batch",
              g.act == Activation::relu    ? " relu"
              : g.act == Activation::relu6 ? " relu6"
              : g.act == Activation::silu  ? " silu"
              : g.act == Activation::prelu ? " prelu"
                                           : "",
              g.p > 0 ? " dropout" : "", g.residual_pitch ? " residual" : "");
}
template <class T>
Directions directions(const NormActImplOf<T>& impl, const NormActSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t rows = g.n * g.rows, size = rows * g.c, statistics = g.groups() * g.c;
  const uint64_t* step = a.number(uint64_t{1});
  const NormActInputs<float> in{.weight = a.input(g.c, 0.5f, 1.5f),
                                .bias = a.input(g.c),
                                .slope = a.input(g.slopes),
                                .step = step,
                                .running_mean = a.input(g.c),
                                .running_variance = a.input(g.c, 0.5f, 2)};
  T *x = a.input<T>(rows * g.x_pitch()), *dy = a.input<T>(size),
    *r = g.residual_pitch ? a.input<T>(rows * g.r_pitch()) : nullptr, *y = a.output<T>(rows * g.y_pitch()),
    *dx = a.output<T>(size);
  float *mean = a.output(statistics), *inverse = a.output(statistics), *dw = a.output(g.c), *db = a.output(g.c),
        *ds = a.output(g.c);
  impl.forward(e, g, x, in, r, y, mean, inverse);
  const double n = double(size);
  // Least traffic: forward reads x twice and writes y, backward reads dy and x twice and writes dx; a sample that stays
  // in the cache is read once.
  const double twice = g.per_sample ? 1 : 2;
  return {{"forward", 8 * n, bytes_of<T>(n * (twice + 1 + (r ? 1 : 0))),
           [=, &impl] { impl.forward(e, g, x, in, r, y, mean, inverse); }, y, size},
          {"backward", 14 * n, bytes_of<T>(n * (2 * twice + 1)),
           [=, &impl] {
             impl.backward(e, g, dy, x, in, mean, inverse, dx, dw, db, g.act == Activation::prelu ? ds : nullptr);
           },
           dx, size}};
}

std::string shape_of(const BatchNormSpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const BatchNormImpl& impl, const BatchNormSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t size = g.rows * g.c;
  float *x = a.input(g.rows * g.x_pitch()), *dy = a.input(size), *w = a.input(g.c, 0.5f, 1.5f), *b = a.input(g.c),
        *running_mean = a.input(g.c), *running_variance = a.input(g.c, 0.5f, 2), *y = a.output(size),
        *mean = a.output(g.c), *inverse = a.output(g.c), *dx = a.output(size), *dw = a.output(g.c), *db = a.output(g.c);
  const auto forward = [=, &impl] { impl.forward(e, g, x, w, b, running_mean, running_variance, y, mean, inverse); };
  forward();
  const double n = double(size);
  return {{"forward", 8 * n, floats(3 * n), forward, y, size},
          {"backward", 14 * n, floats(5 * n), [=, &impl] { impl.backward(e, g, dy, x, w, mean, inverse, dx, dw, db); },
           dx, size}};
}

std::string shape_of(const MaxPoolSpec& g) { return text(g.n, "x", g.h, "x", g.w, "x", g.c, " ", g.r, "x", g.s); }
template <class T>
Directions directions(const MaxPoolImplOf<T>& impl, const MaxPoolSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t xs = int64_t{g.n} * g.h * g.w * g.c, ys = int64_t{g.n} * g.p() * g.q() * g.c;
  MaxPoolSpec dense = g;
  dense.pitch = {};
  T *x = a.input<T>(xs), *dy = a.input<T>(ys), *y = a.output<T>(ys), *dx = a.output<T>(xs);
  return {{"forward", double(xs), bytes_of<T>(double(xs + ys)), [=, &impl] { impl.forward(e, dense, x, y); }, y, ys},
          {"backward", double(xs), bytes_of<T>(double(2 * xs + ys)), [=, &impl] { impl.backward(e, dense, dy, x, dx); },
           dx, xs}};
}

std::string shape_of(const UpsampleSpec& g) {
  return text(g.n, "x", g.h, "x", g.w, "x", g.c, " to ", g.p, "x", g.q, " ", to_string(g.how));
}
template <class T>
Directions directions(const UpsampleImplOf<T>& impl, const UpsampleSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t xs = g.x_rows() * g.c, ys = g.y_rows() * g.c;
  UpsampleSpec dense = g;
  dense.pitch = {};
  T *x = a.input<T>(xs), *dy = a.input<T>(ys), *y = a.output<T>(ys), *dx = a.output<T>(xs);
  const double flops = double(ys) * (g.how == Upsampling::nearest ? 1 : 7), bytes = bytes_of<T>(double(xs + ys));
  return {{"forward", flops, bytes, [=, &impl] { impl.forward(e, dense, x, y); }, y, ys},
          {"backward", flops, bytes, [=, &impl] { impl.backward(e, dense, dy, dx); }, dx, xs}};
}

std::string shape_of(const DropoutSpec& g) { return text(g.rows, "x", g.c, g.span > 1 ? " channels" : ""); }
Directions directions(const DropoutImpl& impl, const DropoutSpec& g, const Exec& e, BenchmarkArrays& a) {
  const uint64_t* step = a.number(uint64_t{1});
  const int64_t size = g.rows * g.c;
  DropoutSpec dense = g;
  dense.pitch = {};
  float *x = a.input(size), *y = a.output(size);
  const double n = double(size);
  return {{"forward", n, floats(2 * n), [=, &impl] { impl.forward(e, dense, step, x, y); }, y, size}};
}

struct Cases {
  static std::string name_of(const auto& spec) { return shape_of(spec); }
  static Directions directions_of(const auto& impl, const auto& spec, const Exec& exec, BenchmarkArrays& arrays) {
    return directions(impl, spec, exec, arrays);
  }
};

}  // namespace

void add_row_timers(Timers& timers, int64_t values) {
  const int64_t rows = values / 32;  // of 32 channels
  const int images = int(std::max<int64_t>(1, rows / 65536)), side = rows >= 65536 ? 256 : 8;
  add_timers<Cases, NormActSpec>(
      timers, norm_act_registry(), norm_act_registry<Bf16>(),
      {{.n = 16, .rows = rows / 16, .c = 32, .act = Activation::relu},
       {.n = rows / 1024, .rows = 1024, .c = 32, .per_sample = true, .act = Activation::prelu}});
  add_timer<Cases, BatchNormSpec>(timers, batch_norm_registry(), {{.rows = rows, .c = 32}});
  add_op_timer<InstanceNorm>(timers, {{.n = rows / 1024, .l = 1024, .c = 32}});
  add_op_timer<GroupNorm>(timers, {{.n = rows / 1024, .l = 1024, .c = 32, .groups = 8}});
  add_op_timer<Prelu>(timers, {{.rows = rows, .c = 32}});
  const MaxPoolSpec pool{.n = images, .c = 32, .h = side, .w = side, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2};
  add_timers<Cases, MaxPoolSpec>(timers, max_pool_registry(), max_pool_registry<Bf16>(), {pool});
  add_op_timer<AvgPool>(timers, {{.pool = pool}});
  add_op_timer<GlobalAvgPool>(timers, {{.n = images, .l = rows / images, .c = 32}});
  UpsampleSpec up{.n = images, .c = 32, .h = side / 2, .w = side / 2, .p = side, .q = side};
  UpsampleSpec smooth = up;
  smooth.how = Upsampling::linear;
  add_timers<Cases, UpsampleSpec>(timers, upsample_registry(), upsample_registry<Bf16>(), {up, smooth});
  add_op_timer<Pad>(timers,
                    {{.n = images, .h = side, .w = side, .c = 32, .top = 1, .bottom = 1, .left = 1, .right = 1}});
  add_timer<Cases, DropoutSpec>(timers, dropout_registry(),
                                {{.rows = rows, .c = 32}, {.rows = rows, .c = 32, .span = 1024}});
  std::vector<SoftmaxSpec> classes;
  for (int64_t c : {2, 5, 12, 32}) classes.push_back({.rows = values / c, .c = c});
  add_op_timer<Softmax>(timers, classes);
  add_op_timer<LogSoftmax>(timers, classes);
}

}  // namespace kern::benchmarks
