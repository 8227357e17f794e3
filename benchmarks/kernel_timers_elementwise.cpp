#include "benchmarks/op_timer.h"
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/fill.h"
#include "kernels/elementwise/mul.h"
#include "kernels/elementwise/unary_ops.h"
#include "kernels/optim/adam.h"
#include "kernels/optim/ema_update.h"
#include "kernels/optim/sgd.h"
#include "kernels/reduce/sum.h"
#include "kernels/reduce/sum_squares.h"

namespace kern::benchmarks {
namespace {

template <class Op>
std::string shape_of(const UnarySpec<Op>& g) {
  return text(g.rows, "x", g.c);
}
template <class Op, class T>
Directions directions(const UnaryImpl<Op, T>& impl, const UnarySpec<Op>& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t size = g.rows * g.c;
  T *x = OfPositive<Op> ? a.input<T>(size, 0.5f, 2) : a.input<T>(size), *dy = a.input<T>(size), *y = a.output<T>(size),
    *dx = a.output<T>(size);
  const double n = double(size);
  return {{"forward", n, bytes_of<T>(2 * n), [=, &impl] { impl.forward(e, g, x, y); }, y, size},
          {"backward", n, bytes_of<T>(3 * n), [=, &impl] { impl.backward(e, g, dy, x, dx); }, dx, size}};
}

std::string shape_of(const BinarySpec& g) { return text(g.rows, "x", g.c); }
template <class T>
Directions directions(const AddImplOf<T>& impl, const BinarySpec& g, const Exec& e, BenchmarkArrays& a) {
  BinarySpec dense = g;
  dense.pitch = {}, dense.b_pitch = 0;
  const int64_t size = g.rows * g.c;
  T *x = a.input<T>(size), *z = a.input<T>(size), *y = a.output<T>(size);
  return {{"forward", double(size), bytes_of<T>(3 * double(size)), [=, &impl] { impl.forward(e, dense, x, z, y); }, y,
           size}};
}

std::string shape_of(const CastSpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const CastImpl& impl, const CastSpec& g, const Exec& e, BenchmarkArrays& a) {
  const CastSpec dense{.rows = g.rows, .c = g.c};
  const int64_t size = g.rows * g.c;
  const float* x = a.input(size);
  float* y = a.output(size);
  Bf16* kept = a.output<Bf16>(size);
  const double n = double(size), bytes = 6 * n;
  const auto narrow = [=, &impl] { impl.narrow(e, dense, x, kept); };
  narrow();
  return {{"narrow", n, bytes, narrow, kept, size},
          {"widen", n, bytes, [=, &impl] { impl.widen(e, dense, kept, y); }, y, size}};
}

Directions directions(const MulImpl& impl, const BinarySpec& g, const Exec& e, BenchmarkArrays& a) {
  BinarySpec dense = g;
  dense.pitch = {}, dense.b_pitch = 0;
  const int64_t size = g.rows * g.c;
  float *x = a.input(size), *z = a.input(size), *dy = a.input(size), *y = a.output(size), *db = a.output(g.c);
  const double n = double(size);
  return {
      {"forward", n, floats(3 * n), [=, &impl] { impl.forward(e, dense, x, z, y); }, y, size},
      {"backward_vector", 2 * n, floats(2 * n), [=, &impl] { impl.backward_vector(e, dense, dy, x, db); }, db, g.c}};
}

std::string shape_of(const FillSpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const FillImpl& impl, const FillSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t size = g.rows * g.c;
  float* y = a.output(size);
  return {{"forward", double(size), floats(double(size)), [=, &impl] { impl.forward(e, g, 2.0f, y); }, y, size}};
}

std::string shape_of(const SumSquaresSpec& g) { return text(g.n); }
Directions directions(const SumSquaresImpl& impl, const SumSquaresSpec& g, const Exec& e, BenchmarkArrays& a) {
  double* total = a.number(0.0);
  float* x = a.input(g.n);
  return {{"add", 2 * double(g.n), floats(double(g.n)), [=, &impl] { impl.add(e, g, x, total); }, x, g.n}};
}

std::string shape_of(const AdamSpec& g) { return text(g.n); }
Directions directions(const AdamImpl& impl, const AdamSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t* step = a.number(int64_t{3});
  const float* lr = a.number(1e-3f);
  float *p = a.input(g.n), *d = a.input(g.n), *m = a.input(g.n), *v = a.input(g.n, 0, 1);
  return {{"update", 12 * double(g.n), floats(7 * double(g.n)),
           [=, &impl] { impl.step(e, g, step, lr, nullptr, p, d, m, v); }, p, g.n}};
}

std::string shape_of(const SgdSpec& g) { return text(g.n, g.momentum > 0 ? " momentum" : ""); }
Directions directions(const SgdImpl& impl, const SgdSpec& g, const Exec& e, BenchmarkArrays& a) {
  const float* lr = a.number(1e-3f);
  float *p = a.input(g.n), *d = a.input(g.n), *m = a.input(g.n);
  return {{"update", 6 * double(g.n), floats((g.momentum > 0 ? 5 : 3) * double(g.n)),
           [=, &impl] { impl.step(e, g, lr, nullptr, p, d, m); }, p, g.n}};
}

std::string shape_of(const EmaUpdateSpec& g) { return text(g.n); }
Directions directions(const EmaUpdateImpl& impl, const EmaUpdateSpec& g, const Exec& e, BenchmarkArrays& a) {
  float *x = a.input(g.n), *p = a.input(g.n);
  return {{"update", 3 * double(g.n), floats(3 * double(g.n)), [=, &impl] { impl.step(e, g, x, p); }, p, g.n}};
}

struct Cases {
  static std::string name_of(const auto& spec) { return shape_of(spec); }
  static Directions directions_of(const auto& impl, const auto& spec, const Exec& exec, BenchmarkArrays& arrays) {
    return directions(impl, spec, exec, arrays);
  }
};

}  // namespace

void add_elementwise_timers(Timers& timers, int64_t values) {
  const int64_t rows = values / 32;
  for_each_unary_op([&]<class Op>() {
    add_timers<Cases, UnarySpec<Op>>(timers, unary_registry<Op>(), unary_registry<Op, Bf16>(),
                                     {{.rows = rows, .c = 32}});
  });
  add_timers<Cases, BinarySpec>(timers, add_registry(), add_registry<Bf16>(), {{.rows = rows, .c = 32}});
  add_timer<Cases, BinarySpec>(timers, mul_registry(), {{.rows = rows, .c = 32}});
  add_timer<Cases, CastSpec>(timers, cast_registry(), {{.rows = rows, .c = 32}});
  add_timer<Cases, FillSpec>(timers, fill_registry(), {{.rows = rows, .c = 32}});
  add_op_timer<Sum>(timers, {{.rows = rows, .c = 32}});
  add_timer<Cases, SumSquaresSpec>(timers, sum_squares_registry(), {{.n = values}});
  add_timer<Cases, AdamSpec>(timers, adam_registry(), {{.n = values / 2}});
  add_timer<Cases, SgdSpec>(timers, sgd_registry(), {{.n = values / 2, .momentum = 0.9}});
  add_timer<Cases, EmaUpdateSpec>(timers, ema_update_registry(), {{.n = values, .decay = 0.99}});
}

}  // namespace kern::benchmarks
