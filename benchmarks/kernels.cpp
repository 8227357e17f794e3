#include "benchmarks/kernels.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <limits>
#include <map>

#include "kernels/adam.h"
#include "kernels/add.h"
#include "kernels/conv2d.h"
#include "kernels/conv_transpose2d.h"
#include "kernels/cross_entropy.h"
#include "kernels/max_pool.h"
#include "kernels/mse.h"
#include "kernels/norm_act.h"
#include "kernels/prelu.h"
#include "kernels/relu.h"
#include "kernels/sigmoid.h"

namespace kern::benchmarks {
namespace {
using namespace kernels;

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Arrays of one case: inputs random, outputs poisoned with NaN.
class Arrays {
 public:
  float* input(int64_t n, float low = -1, float high = 1) {
    float* p = output(n);
    uint32_t state = 12345;
    for (int64_t i = 0; i < n; ++i) {
      state = state * 1664525u + 1013904223u;
      p[i] = low + (high - low) * to_uniform(state);
    }
    return p;
  }
  float* output(int64_t n) {
    all_.push_back(Tensor::full({std::max<int64_t>(1, n)}, std::numeric_limits<float>::quiet_NaN()));
    return all_.back().mutate();
  }
  int32_t* classes(int64_t n, int64_t k) {
    Tensor t = Tensor::empty({n}, {.dtype = DType::i32});
    int32_t* p = t.mutate<int32_t>();
    for (int64_t i = 0; i < n; ++i) p[i] = int32_t(i * 7919 % k);
    all_.push_back(std::move(t));
    return p;
  }

 private:
  std::deque<Tensor> all_;
};

struct Direction {
  const char* name;
  double flops, bytes;
  std::function<void()> run;
  const float* out;  // looked at afterwards
  int64_t out_size;
};
using Directions = std::vector<Direction>;
double floats(double n) { return 4 * n; }

std::string shape_of(const Conv2dSpec& g) {
  return text(g.n, "x", g.h, "x", g.w, " ", g.c, "->", g.k, " ", g.r, "x", g.s,
              g.stride_w > 1 ? text(" s", g.stride_w) : "", g.groups > 1 ? text(" g", g.groups) : "",
              g.x_pitch() != g.c ? text(" pitch ", g.x_pitch()) : "");
}
Directions directions(const Conv2dRow& row, const Conv2dSpec& g, const Exec& e, Arrays& a) {
  const int64_t xs = g.x_rows() * g.x_pitch(), ys = g.y_rows() * g.y_pitch();
  float *x = a.input(xs), *w = a.input(g.w_size()), *b = a.input(g.k), *dy = a.input(ys), *y = a.output(ys),
        *dx = a.output(xs), *dw = a.output(g.w_size()), *db = a.output(g.k);
  const double flops = 2 * double(g.macs()), bytes = floats(double(g.x_rows() * g.c + g.y_rows() * g.k + g.w_size()));
  const int64_t dxs = g.dx_pitch() == g.c ? g.x_rows() * g.c : 1;
  return {{"forward", flops, bytes, [=, &row] { row.forward(e, g, x, w, b, y); }, y, g.y_rows() * g.k},
          {"backward_data", flops, bytes, [=, &row] { row.backward_data(e, g, dy, w, dx); }, dx, dxs},
          {"backward_weight", flops, bytes, [=, &row] { row.backward_weight(e, g, dy, x, dw); }, dw, g.w_size()},
          {"backward_bias", double(g.y_rows() * g.k), floats(double(g.y_rows() * g.k)),
           [=, &row] { row.backward_bias(e, g, dy, db); }, db, g.k}};
}

std::string shape_of(const ConvTranspose2dSpec& g) {
  return text(g.n, "x", g.h, "x", g.w, " ", g.c, "->", g.k, " ", g.r, "x", g.s,
              g.stride_w > 1 ? text(" s", g.stride_w) : "");
}
Directions directions(const ConvTranspose2dRow& row, const ConvTranspose2dSpec& g, const Exec& e, Arrays& a) {
  const int64_t x_rows = int64_t{g.n} * g.h * g.w, weights = int64_t{g.c} * g.r * g.s * (g.k / g.groups);
  const int64_t xs = x_rows * g.x_pitch(), ys = g.y_rows() * g.k;
  float *x = a.input(xs), *w = a.input(weights), *b = a.input(g.k), *dy = a.input(ys), *y = a.output(ys),
        *dx = a.output(xs), *dw = a.output(weights);
  const double flops = 2 * double(x_rows) * double(weights),
               bytes = floats(double(x_rows * g.c + g.y_rows() * g.k + weights));
  return {{"forward", flops, bytes, [=, &row] { row.forward(e, g, x, w, b, y); }, y, ys},
          {"backward_data", flops, bytes, [=, &row] { row.backward_data(e, g, dy, w, dx); }, dx, x_rows * g.c},
          {"backward_weight", flops, bytes, [=, &row] { row.backward_weight(e, g, dy, x, dw); }, dw, weights}};
}

std::string shape_of(const NormActSpec& g) {
  return text(g.n, "x", g.rows, "x", g.c, g.per_sample ? " instance" : " batch",
              g.act == Activation::relu    ? " relu"
              : g.act == Activation::prelu ? " prelu"
                                           : "",
              g.p > 0 ? " dropout" : "", g.residual_pitch ? " residual" : "");
}
Directions directions(const NormActRow& row, const NormActSpec& g, const Exec& e, Arrays& a) {
  const int64_t rows = g.n * g.rows, size = rows * g.c, statistics = g.groups() * g.c;
  static const uint64_t step = 1;
  const NormActInputs<float> in{.weight = a.input(g.c, 0.5f, 1.5f),
                                .bias = a.input(g.c),
                                .slope = a.input(g.slopes),
                                .step = &step,
                                .running_mean = a.input(g.c),
                                .running_variance = a.input(g.c, 0.5f, 2)};
  float *x = a.input(rows * g.x_pitch()), *dy = a.input(size),
        *r = g.residual_pitch ? a.input(rows * g.r_pitch()) : nullptr, *y = a.output(rows * g.y_pitch()),
        *mean = a.output(statistics), *inverse = a.output(statistics), *dx = a.output(size), *dw = a.output(g.c),
        *db = a.output(g.c), *ds = a.output(g.c);
  row.forward(e, g, x, in, r, y, mean, inverse);
  const double n = double(size);
  // Least traffic: forward reads x twice and writes y, backward reads dy and x twice and writes dx; a sample that stays
  // in the cache is read once.
  const double twice = g.per_sample ? 1 : 2;
  return {{"forward", 8 * n, floats(n * (twice + 1 + (r ? 1 : 0))),
           [=, &row] { row.forward(e, g, x, in, r, y, mean, inverse); }, y, size},
          {"backward", 14 * n, floats(n * (2 * twice + 1)),
           [=, &row] {
             row.backward(e, g, dy, x, in, mean, inverse, dx, dw, db, g.act == Activation::prelu ? ds : nullptr);
           },
           dx, size}};
}

template <class Op>
std::string shape_of(const UnarySpec<Op>& g) {
  return text(g.rows, "x", g.c);
}
template <class Op>
Directions directions(const UnaryRow<Op>& row, const UnarySpec<Op>& g, const Exec& e, Arrays& a) {
  const int64_t size = g.rows * g.c;
  float *x = a.input(size), *dy = a.input(size), *y = a.output(size), *dx = a.output(size);
  const double n = double(size);
  return {{"forward", n, floats(2 * n), [=, &row] { row.forward(e, g, x, y); }, y, size},
          {"backward", n, floats(3 * n), [=, &row] { row.backward(e, g, dy, x, dx); }, dx, size}};
}

std::string shape_of(const PreluSpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const PreluRow& row, const PreluSpec& g, const Exec& e, Arrays& a) {
  const int64_t size = g.rows * g.c;
  float *x = a.input(size), *dy = a.input(size), *s = a.input(g.slopes), *y = a.output(size), *dx = a.output(size),
        *ds = a.output(g.slopes);
  const double n = double(size);
  return {{"forward", n, floats(2 * n), [=, &row] { row.forward(e, g, x, s, y); }, y, size},
          {"backward", 2 * n, floats(3 * n), [=, &row] { row.backward(e, g, dy, x, s, dx, ds); }, dx, size}};
}

std::string shape_of(const MaxPoolSpec& g) { return text(g.n, "x", g.h, "x", g.w, "x", g.c, " ", g.r, "x", g.s); }
Directions directions(const MaxPoolRow& row, const MaxPoolSpec& g, const Exec& e, Arrays& a) {
  const int64_t xs = int64_t{g.n} * g.h * g.w * g.c, ys = int64_t{g.n} * g.p() * g.q() * g.c;
  MaxPoolSpec dense = g;
  dense.pitch = {};
  float *x = a.input(xs), *dy = a.input(ys), *y = a.output(ys), *dx = a.output(xs);
  return {
      {"forward", double(xs), floats(double(xs + ys)), [=, &row] { row.forward(e, dense, x, y); }, y, ys},
      {"backward", double(xs), floats(double(2 * xs + ys)), [=, &row] { row.backward(e, dense, dy, x, dx); }, dx, xs}};
}

std::string shape_of(const CrossEntropySpec& g) { return text(g.rows, "x", g.k); }
Directions directions(const CrossEntropyRow& row, const CrossEntropySpec& g, const Exec& e, Arrays& a) {
  const int64_t size = g.rows * g.k;
  float *x = a.input(size), *dx = a.output(size), *loss = a.output(1), *saved = a.output(g.saved_size()),
        *one = a.input(1, 1, 1);
  const int32_t* t = a.classes(g.rows, g.k);
  row.forward(e, g, x, t, nullptr, loss, saved);
  const double n = double(size);
  return {{"forward", 4 * n, floats(n + 3 * double(g.rows)),
           [=, &row] { row.forward(e, g, x, t, nullptr, loss, saved); }, loss, 1},
          {"backward", 4 * n, floats(2 * n + 3 * double(g.rows)),
           [=, &row] { row.backward(e, g, one, x, t, nullptr, saved, dx); }, dx, size}};
}

std::string shape_of(const BinarySpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const AddRow& row, const BinarySpec& g, const Exec& e, Arrays& a) {
  BinarySpec dense = g;
  dense.pitch = {}, dense.b_pitch = 0;
  const int64_t size = g.rows * g.c;
  float *x = a.input(size), *z = a.input(size), *y = a.output(size);
  return {{"forward", double(size), floats(3 * double(size)), [=, &row] { row.forward(e, dense, x, z, y); }, y, size}};
}

std::string shape_of(const MseSpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const MseRow& row, const MseSpec& g, const Exec& e, Arrays& a) {
  const int64_t size = g.rows * g.c;
  float *x = a.input(size), *t = a.input(size), *loss = a.output(1), *dx = a.output(size), *one = a.input(1, 1, 1);
  const double n = double(size);
  return {{"forward", 3 * n, floats(2 * n), [=, &row] { row.forward(e, g, x, t, loss); }, loss, 1},
          {"backward", 2 * n, floats(3 * n), [=, &row] { row.backward(e, g, one, x, t, dx); }, dx, size}};
}

std::string shape_of(const AdamSpec& g) { return text(g.n); }
Directions directions(const AdamRow& row, const AdamSpec& g, const Exec& e, Arrays& a) {
  static const int64_t step = 3;
  static const float lr = 1e-3f;
  float *p = a.input(g.n), *d = a.input(g.n), *m = a.input(g.n), *v = a.input(g.n, 0, 1);
  return {{"update", 12 * double(g.n), floats(7 * double(g.n)),
           [=, &row] { row.step(e, g, &step, &lr, nullptr, p, d, m, v); }, p, g.n}};
}

template <class Row, class Spec>
void time_case(const Table<Row>& table, const Spec& g, const KernelOptions& o,
               const std::function<void(const KernelResult&)>& show) {
  for (const Row& row : table.rows) {
    if (row.device != Device::cpu || !row.supports(g)) continue;
    if (std::string_view(row.name) == "reference"
            ? !o.reference
            : !o.rows.empty() && std::find(o.rows.begin(), o.rows.end(), row.name) == o.rows.end())
      continue;
    size_t bytes = 64;
    if constexpr (requires { row.workspace(g); }) bytes += row.workspace(g);
    const Storage scratch(Device::cpu, bytes);
    Arrays arrays;
    for (const Direction& d : directions(row, g, Exec{.scratch = scratch.data()}, arrays)) {
      d.run();
      for (int64_t i = 0; i < d.out_size; i += std::max<int64_t>(1, d.out_size / 1000))
        check(std::isfinite(d.out[i]), table.op, " row ", row.name, " ", d.name, " of ", shape_of(g), " gives ",
              d.out[i]);
      std::vector<double> times;
      for (int i = -2; i < o.repeats; ++i) {
        const double begin = now_ms();
        d.run();
        if (i >= 0) times.push_back(now_ms() - begin);
      }
      show({std::string(table.op), shape_of(g), row.name, d.name, d.flops, d.bytes, quartiles(std::move(times))});
    }
  }
}

// What is known of an op: how to time a case of it that select() saw, and its large cases.
struct Timer {
  std::function<void(const std::any& spec, std::vector<std::any>& seen, const KernelOptions&,
                     const std::function<void(const KernelResult&)>&)>
      time;
  std::vector<std::any> large;
};
template <class Row, class Spec>
Timer timer(const Table<Row>& table, std::vector<Spec> large = {}) {
  Timer t;
  t.time = [&table](const std::any& spec, std::vector<std::any>& seen, const KernelOptions& o, const auto& show) {
    Spec g = std::any_cast<Spec>(spec);
    if constexpr (requires { g.call; }) g.call = 0, g.key = {};       // dropout's numbers do not matter here
    if constexpr (requires { g.pitch; }) g.pitch = {.x = g.pitch.x};  // nor do pitches other than the input's
    for (const std::any& before : seen)
      if (std::any_cast<Spec>(before) == g) return;
    seen.push_back(g);
    time_case(table, g, o, show);
  };
  for (const Spec& g : large) t.large.push_back(g);
  return t;
}
const std::map<std::string, Timer>& timers() {
  constexpr int64_t kRows = 1 << 20;  // of 32 channels: 128 MiB
  static const std::map<std::string, Timer> all{
      {"conv2d", timer<Conv2dRow, Conv2dSpec>(conv2d_table())},
      {"conv_transpose2d", timer<ConvTranspose2dRow, ConvTranspose2dSpec>(conv_transpose2d_table())},
      {"norm_act",
       timer<NormActRow, NormActSpec>(
           norm_act_table(), {{.n = 16, .rows = kRows / 16, .c = 32, .act = Activation::relu},
                              {.n = 1024, .rows = 1024, .c = 32, .per_sample = true, .act = Activation::prelu}})},
      {"relu", timer<ReluRow, ReluSpec>(relu_table(), {{.rows = kRows, .c = 32}})},
      {"sigmoid", timer<SigmoidRow, SigmoidSpec>(sigmoid_table(), {{.rows = kRows, .c = 32}})},
      {"prelu", timer<PreluRow, PreluSpec>(prelu_table(), {{.rows = kRows, .c = 32}})},
      {"max_pool",
       timer<MaxPoolRow, MaxPoolSpec>(
           max_pool_table(), {{.n = 16, .c = 32, .h = 256, .w = 256, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2}})},
      {"cross_entropy", timer<CrossEntropyRow, CrossEntropySpec>(cross_entropy_table(), {{.rows = kRows, .k = 32}})},
      {"add", timer<AddRow, BinarySpec>(add_table(), {{.rows = kRows, .c = 32}})},
      {"mse", timer<MseRow, MseSpec>(mse_table(), {{.rows = kRows, .c = 32}})},
      {"adam", timer<AdamRow, AdamSpec>(adam_table(), {{.n = 1 << 24}})},
  };
  return all;
}

}  // namespace

std::vector<std::string> timed_ops() {
  std::vector<std::string> names;
  for (const auto& [name, timer] : timers()) names.push_back(name);
  return names;
}

void time_kernels(const KernelOptions& o, const std::function<void(const KernelResult&)>& show) {
  auto wanted = [&](const std::string& op) {
    return o.ops.empty() || std::find(o.ops.begin(), o.ops.end(), op) != o.ops.end();
  };
  std::map<std::string, std::vector<std::any>> cases;
  for (const std::string& id : o.models) {
    const SpecLog log;
    time_steps(model_of(id), {.warmup = 2, .repeats = 0});
    for (const auto& entry : log.entries()) cases[entry.op].push_back(entry.spec);
  }
  for (const auto& [op, timer] : timers()) {
    if (!wanted(op)) continue;
    std::vector<std::any> seen;
    for (const std::any& spec : cases[op]) timer.time(spec, seen, o, show);
    if (o.large)
      for (const std::any& spec : timer.large) timer.time(spec, seen, o, show);
  }
}

}  // namespace kern::benchmarks
