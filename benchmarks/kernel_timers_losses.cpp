#include "benchmarks/op_timer.h"
#include "kernels/labels/labels.h"
#include "kernels/labels/monotone_posteriors.h"
#include "kernels/labels/pseudo_labels.h"
#include "kernels/labels/segmentation_score.h"
#include "kernels/loss/bce_with_logits.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/loss/focal.h"
#include "kernels/loss/head_cross_entropy.h"
#include "kernels/loss/huber.h"
#include "kernels/loss/kl_normal.h"
#include "kernels/loss/l1.h"
#include "kernels/loss/mse.h"
#include "kernels/loss/ssim.h"
#include "kernels/loss/tversky.h"

namespace kern::benchmarks {
namespace {

std::string shape_of(const HeadCrossEntropySpec& g) { return text(g.rows, "x", g.c, "->", g.k); }
template <class X>
Directions directions(const HeadCrossEntropyImplOf<X>& impl, const HeadCrossEntropySpec& seen, const Exec& e,
                      BenchmarkArrays& a) {
  HeadCrossEntropySpec g = seen;
  g.pitch = {};
  X *x = a.input<X>(g.rows * g.c), *dx = a.output<X>(g.rows * g.c);
  float *w = a.input(g.w_size()), *b = a.input(g.k), *loss = a.output(1), *dw = a.output(g.w_size()),
        *db = a.output(g.k);
  const HeadInputs<float, X> in{.x = x, .w = w, .b = b, .target = a.classes(g.rows, g.k)};
  const HeadOutputs<float, X> out{.loss = loss, .dx = dx, .dw = dw, .db = db};
  // Logits, dx and dw: three products; forward gives the gradients too, backward only scales them.
  const double products = 3 * double(g.rows) * double(g.w_size()), n = double(g.rows * g.c);
  return {{"forward", 2 * products, bytes_of<X>(2 * n), [=, &impl] { impl.forward(e, g, in, out); }, loss, 1}};
}

// Labels move one value each; the same call on rows of C values differs in nothing else.
std::string shape_of(const LabelsSpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const LabelsImpl& impl, const LabelsSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t size = g.rows * g.c;
  const int32_t *l = a.classes(g.rows, g.c), *origin = a.classes(g.rows, g.positions);
  float *x = a.input(size), *z = a.input(size), *y = a.output(size), *s = a.output(3);
  const double n = double(size), labels = floats(double(g.rows));
  return {{"one_hot", n, labels + floats(n), [=, &impl] { impl.one_hot(e, g, l, nullptr, y); }, y, size},
          {"choose", n, labels + floats(2 * n), [=, &impl] { impl.choose(e, g, l, x, z, y); }, y, size},
          {"move_rows", n, labels + floats(2 * n), [=, &impl] { impl.move_rows(e, g, x, origin, y); }, y, size},
          {"mean", 2 * double(g.rows), 2 * labels, [=, &impl] { impl.mean(e, g, x, l, s); }, s, 3}};
}
std::string shape_of(const PseudoLabelsSpec& g) { return text(g.rows, "x", g.c); }
Directions directions(const PseudoLabelsImpl& impl, const PseudoLabelsSpec& g, const Exec& e, BenchmarkArrays& a) {
  const int64_t size = g.rows * g.c;
  float *p = a.input(size, 0, 1), *figures = a.output(4);
  const int32_t *present = a.classes(g.rows, 1), *truth = a.classes(g.rows, g.c);
  int32_t* labels = reinterpret_cast<int32_t*>(a.bytes(size_t(g.rows) * sizeof(int32_t)));
  return {{"forward", double(size), floats(double(size + 3 * g.rows)),
           [=, &impl] { impl.forward(e, g, p, present, truth, nullptr, labels, figures); }, figures, 4}};
}
std::string shape_of(const MonotonePosteriorsSpec& g) { return text(g.n, "x", g.l, "x", g.c); }
Directions directions(const MonotonePosteriorsImpl& impl, const MonotonePosteriorsSpec& g, const Exec& e,
                      BenchmarkArrays& a) {
  const int64_t size = g.n * g.l * g.c;
  float *p = a.input(size, 0, 1), *q = a.output(size);
  return {{"forward", 20 * double(size), floats(2 * double(size)), [=, &impl] { impl.forward(e, g, p, nullptr, q); }, q,
           size}};
}

std::string shape_of(const SegmentationScoreSpec& g) {
  return text(g.h, "x", g.w, "x", g.c, "->", g.rows, "x", g.columns);
}
Directions directions(const SegmentationScoreImpl& impl, const SegmentationScoreSpec& g, const Exec& e,
                      BenchmarkArrays& a) {
  const int64_t size = g.h * g.w * g.c, labels = g.rows * g.columns;
  float *p = a.input(size, 0, 1), *loss = a.output(1);
  const int32_t* label = a.classes(labels, g.classes());
  int32_t* counts = reinterpret_cast<int32_t*>(a.bytes(size_t(g.classes() * g.classes()) * sizeof(int32_t)));
  return {{"forward", 6 * double(labels * g.c), floats(double(size + labels)),
           [=, &impl] { impl.forward(e, g, p, label, counts, loss); }, loss, 1}};
}

struct Cases {
  static std::string name_of(const auto& spec) { return shape_of(spec); }
  static Directions directions_of(const auto& impl, const auto& spec, const Exec& exec, BenchmarkArrays& arrays) {
    return directions(impl, spec, exec, arrays);
  }
};

}  // namespace

void add_loss_timers(Timers& timers, int64_t values) {
  const int64_t rows = values / 32;
  std::vector<CrossEntropySpec> classes;
  for (int64_t k : {2, 5, 12, 21, 32, 35}) classes.push_back({.rows = values / k, .k = k});
  add_op_timer<CrossEntropy>(timers, classes);
  add_timers<Cases, HeadCrossEntropySpec>(timers, head_cross_entropy_registry(), head_cross_entropy_registry<Bf16>(),
                                          {{.rows = rows, .c = 32, .k = 35}});
  add_op_timer<Focal>(timers, {{.rows = values, .k = 1}, {.rows = values / 5, .k = 5}});
  add_op_timer<Tversky>(timers, {{.rows = values, .k = 1}, {.rows = values / 5, .k = 5}});
  add_op_timer<BceWithLogits>(timers, {{.rows = rows, .c = 32}});
  add_op_timer<PairLoss<Mse>>(timers, {{.rows = rows, .c = 32}});
  add_op_timer<PairLoss<L1>>(timers, {{.rows = rows, .c = 32}});
  add_op_timer<PairLoss<Huber>>(timers, {{.rows = rows, .c = 32}});
  add_op_timer<KlNormal>(timers, {{.rows = rows, .c = 32}});
  add_timer<Cases, LabelsSpec>(timers, labels_registry(), {{.rows = rows, .c = 32, .positions = rows, .x_pitch = 1}});
  add_timer<Cases, PseudoLabelsSpec>(
      timers, pseudo_labels_registry(),
      {{.rows = values / 5, .c = 5, .threshold = 0.5, .p_pitch = 5}, {.rows = rows, .c = 32, .p_pitch = 32}});
  add_timer<Cases, MonotonePosteriorsSpec>(timers, monotone_posteriors_registry(),
                                           {{.n = 16, .l = std::min<int64_t>(512, rows), .c = 8}});
  const int64_t side = rows >= 65536 ? 128 : 16;
  add_timer<Cases, SegmentationScoreSpec>(
      timers, segmentation_score_registry(),
      {{.h = 2 * side, .w = 2 * side, .c = 12, .rows = 3 * side, .columns = 4 * side, .p_pitch = 12},
       {.h = 2 * side, .w = 2 * side, .c = 1, .rows = 3 * side, .columns = 4 * side}});
  add_op_timer<Ssim>(timers, {{.n = 4, .h = side, .w = side, .c = 3}});
}

}  // namespace kern::benchmarks
