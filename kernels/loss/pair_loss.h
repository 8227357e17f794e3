// Losses that compare value by value: L = 1/n sum f(x[i,c] - t[i,c]) over all n = rows C values, f even. An op is a
// struct of two formulas, templated on the scalar:
//
//   struct L1 {
//     template <Scalar T> constexpr T value(T d) const;        // f(d)
//     template <Scalar T> constexpr T derivative(T d) const;   // f'(d)
//   };
//
// Backward: dx = dL/n f'(x - t); dt is the same with x and t exchanged, since f' is odd. The reference, one CPU row
// per instruction set and (pair_loss.cuh) the CUDA implementation come from here.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/isa.h"
#include "kernels/common/reduce.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

// x, t, dx [rows, C]; loss, dy [1]. pitch.x is x's, pitch.y is t's.
template <class Op>
struct PairLossSpec {
  int64_t rows = 0, c = 1;
  Op op{};
  Pitches pitch;
  constexpr int64_t size() const { return rows * c; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t t_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  // The spec by which backward gives dt when it is called with t for x and x for t.
  constexpr PairLossSpec exchanged() const {
    return {.rows = rows, .c = c, .op = op, .pitch = {.x = pitch.y, .y = pitch.x, .dx = pitch.dx}};
  }
  bool operator==(const PairLossSpec&) const = default;
};

template <class Op, Scalar T>
void pair_loss_forward_reference(const PairLossSpec<Op>& g, const T* x, const T* t, T* loss) {
  T sum = 0;
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) sum += g.op.value(x[i * g.x_pitch() + c] - t[i * g.t_pitch() + c]);
  *loss = sum / T(double(g.size()));
}
template <class Op, Scalar T>
void pair_loss_backward_reference(const PairLossSpec<Op>& g, const T* dy, const T* x, const T* t, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c)
      dx[i * g.dx_pitch() + c] =
          *dy / T(double(g.size())) * g.op.derivative(x[i * g.x_pitch() + c] - t[i * g.t_pitch() + c]);
}

template <class Op>
struct PairLossImpl {
  const char* name;
  Device device;
  bool (*supports)(const PairLossSpec<Op>&);
  size_t (*workspace)(const PairLossSpec<Op>&);  // of forward
  void (*forward)(const Exec&, const PairLossSpec<Op>&, const float* x, const float* t, float* loss);
  void (*backward)(const Exec&, const PairLossSpec<Op>&, const float* dy, const float* x, const float* t, float* dx);
};

template <class Op>
struct PairLossRows {
  using Spec = PairLossSpec<Op>;

  template <Isa isa>
  static void forward(const Exec& exec, const Spec& g, const float* x, const float* t, float* loss) {
    const Chunks chunks(g.rows, g.c);
    const bool dense = g.x_pitch() == g.c && g.t_pitch() == g.c;
    double* part = static_cast<double*>(exec.scratch);
    parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
      on_isa<isa>([&] {
        const Op op = g.op;
        const int64_t count = dense ? (end - begin) * g.c : g.c;
        double sum = 0;
        for (int64_t i = begin; i < end; i += dense ? end - begin : 1) {
          const float *p = x + i * g.x_pitch(), *q = t + i * g.t_pitch();
          sum += lane_sum(count, [=](int64_t c) { return op.value(double(p[c]) - double(q[c])); });
        }
        part[begin / chunks.grain] = sum;
      });
    });
    double sum = 0;
    for (int64_t k = 0; k < chunks.count(); ++k) sum += part[k];
    *loss = float(sum / double(g.size()));
  }

  template <Isa isa>
  static void backward(const Exec&, const Spec& g, const float* dy, const float* x, const float* t, float* dx) {
    const float scale = float(double(*dy) / double(g.size()));
    const bool dense = g.x_pitch() == g.c && g.t_pitch() == g.c && g.dx_pitch() == g.c;
    parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
      on_isa<isa>([&] {
        const Op op = g.op;
        const float f = scale;
        const int64_t count = dense ? (end - begin) * g.c : g.c;
        for (int64_t i = begin; i < end; i += dense ? end - begin : 1) {
          const float *p = x + i * g.x_pitch(), *q = t + i * g.t_pitch();
          float* to = dx + i * g.dx_pitch();
          for (int64_t c = 0; c < count; ++c) to[c] = f * op.derivative(p[c] - q[c]);
        }
      });
    });
  }

  template <Isa isa>
  static constexpr PairLossImpl<Op> on() {
    return {.name = isa_name(isa),
            .device = Device::cpu,
            .supports = supports_on<isa>,
            .workspace = [](const Spec& g) { return sum_rows_workspace(g.rows, g.c); },
            .forward = forward<isa>,
            .backward = backward<isa>};
  }
  static constexpr PairLossImpl<Op> reference() {
    return {.name = "reference",
            .device = Device::cpu,
            .supports = supports_all,
            .workspace = no_workspace,
            .forward = [](const Exec&, const Spec& g, const float* x, const float* t,
                          float* loss) { pair_loss_forward_reference(g, x, t, loss); },
            .backward = [](const Exec&, const Spec& g, const float* dy, const float* x, const float* t,
                           float* dx) { pair_loss_backward_reference(g, dy, x, t, dx); }};
  }
};
template <class Op>
PairLossImpl<Op> pair_loss_cuda_impl();  // pair_loss.cuh; the op's .cu makes it
template <class Op>
const Registry<PairLossImpl<Op>>& pair_loss_registry(std::string_view op) {
  static const PairLossImpl<Op> impls[] = {KERN_CUDA_IMPL(pair_loss_cuda_impl<Op>())
                                               KERN_SIMD_IMPLS(PairLossRows<Op>::template on),
                                           PairLossRows<Op>::reference()};
  static const Registry<PairLossImpl<Op>> registry{op, impls};
  return registry;
}

}  // namespace kern::kernels
