// The algebra of tensors: broadcasting, sums and extremes along dimensions, reordering.
#include "benchmarks/op_timer.h"
#include "kernels/elementwise/broadcast_ops.h"
#include "kernels/reduce/cumsum.h"
#include "kernels/reduce/max_axis.h"
#include "kernels/reduce/sum_axis.h"
#include "kernels/shape/gather.h"
#include "kernels/shape/strided_copy.h"

namespace kern::benchmarks {
namespace {

std::string shape_of(const BroadcastSpec& g) {
  return text(g.sizes[4], "x", g.sizes[5], " with ", g.b[4] ? g.sizes[4] : 1, "x", g.b[5] ? g.sizes[5] : 1);
}
template <class Op>
Directions directions(const BroadcastImpl<Op>& impl, const BroadcastSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t size = g.size();
  float *u = a.input(size), *v = a.input(size, 0.5f, 2), *dy = a.input(size), *y = a.output(size), *d = a.output(size);
  const double n = double(size);
  return {{"forward", n, floats(2 * n), [=, &impl] { impl.forward(e, g, u, v, y); }, y, size},
          {"backward_a", n, floats(3 * n), [=, &impl] { impl.backward_a(e, g, dy, u, v, d); }, d, size}};
}

std::string shape_of(const AxisSpec& g) { return text(g.outer, "x", g.n, "x", g.inner); }
Directions directions(const MaxAxisImpl& impl, const MaxAxisSpec& g, const Exec& e, BenchmarkArrays& a) {
  float *x = a.input(g.x_size()), *y = a.output(g.y_size());
  int32_t* index = a.classes(g.y_size(), g.n);
  const double n = double(g.x_size());
  return {{"forward", n, floats(n), [=, &impl] { impl.forward(e, g, x, y, index); }, y, g.y_size()}};
}
Directions directions(const CumsumImpl& impl, const CumsumSpec& g, const Exec& e, BenchmarkArrays& a) {
  float *x = a.input(g.x_size()), *y = a.output(g.x_size());
  const double n = double(g.x_size());
  return {{"forward", n, floats(2 * n), [=, &impl] { impl.forward(e, g, x, y); }, y, g.x_size()}};
}

std::string shape_of(const GatherSpec& g) { return text(g.m, " of ", g.outer, "x", g.n, "x", g.inner); }
Directions directions(const GatherImpl& impl, const GatherSpec& g, const Exec& e, BenchmarkArrays& a) {
  float *x = a.input(g.x_size()), *y = a.output(g.y_size()), *dx = a.output(g.x_size());
  const int32_t* index = a.classes(g.m, g.n);
  const double n = double(g.y_size());
  return {{"forward", n, floats(2 * n), [=, &impl] { impl.forward(e, g, x, index, y); }, y, g.y_size()},
          {"backward", n, floats(n + double(g.x_size())), [=, &impl] { impl.backward(e, g, y, index, dx); }, dx,
           g.x_size()}};
}

std::string shape_of(const StridedCopySpec& g) { return text("transposed ", g.sizes[5], "x", g.sizes[4]); }
Directions directions(const StridedCopyImpl& impl, const StridedCopySpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t size = g.size();
  float *x = a.input(size), *y = a.output(size);
  const double n = double(size);
  return {{"forward", n, floats(2 * n), [=, &impl] { impl.forward(e, g, x, y); }, y, size}};
}

struct Cases {
  static std::string name_of(const auto& spec) { return shape_of(spec); }
  static Directions directions_of(const auto& impl, const auto& spec, const Exec& exec, BenchmarkArrays& arrays) {
    return directions(impl, spec, exec, arrays);
  }
};

}  // namespace

void add_algebra_timers(Timers& timers, int64_t values) {
  const int64_t rows = values / 32;
  const AxisSpec last{rows, 32, 1}, middle{rows / 64, 64, 32};
  for_each_broadcast_op([&]<class Op>() {
    add_timer<Cases, BroadcastSpec>(
        timers, broadcast_registry<Op>(),
        {{.sizes = {1, 1, 1, 1, rows, 32}, .a = {0, 0, 0, 0, 32, 1}, .b = {0, 0, 0, 0, 1, 0}}});
  });
  add_op_timer<SumAxis>(timers, {{last, 1}, {middle, 1}});
  add_timer<Cases, MaxAxisSpec>(timers, max_axis_registry(), {{last, false}, {middle, false}});
  add_timer<Cases, CumsumSpec>(timers, cumsum_registry(), {{middle, false}});
  add_timer<Cases, GatherSpec>(timers, gather_registry(),
                               {{.outer = 1, .n = rows, .inner = 32, .m = rows, .shared = true}});
  add_timer<Cases, StridedCopySpec>(timers, strided_copy_registry(),
                                    {{.sizes = {1, 1, 1, 1, 32, rows}, .x = {0, 0, 0, 0, 1, 32}}});
}

}  // namespace kern::benchmarks
