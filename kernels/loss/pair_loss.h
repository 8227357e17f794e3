// Losses that compare value by value: L = 1/n sum f(x[i,c] - t[i,c]) over all n = rows C values, f even. An op is a
// struct of two formulas, templated on the scalar:
//
//   struct L1 {
//     static constexpr const char* kName = "l1";
//     template <Scalar T> constexpr T value(T d) const;        // f(d)
//     template <Scalar T> constexpr T derivative(T d) const;   // f'(d)
//   };
//
// Backward: dx = dL/n f'(x - t); dt is the same with x and t exchanged, since f' is odd. The reference, one CPU implementation
// per instruction set and (pair_loss.cuh) the CUDA implementation come from here.
#pragma once
#include "kernels/common/isa.h"
#include "kernels/common/op.h"
#include "kernels/common/reduce.h"

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
  // Far from 0 beside their differences: nothing may square or add in single precision.
  constexpr Extent values() const { return {rows, c, x_pitch(), 999, 1001}; }
  constexpr Extent targets() const { return {rows, c, t_pitch(), 999, 1001}; }
  // The spec by which backward gives dt when it is called with t for x and x for t.
  constexpr PairLossSpec exchanged() const {
    return {.rows = rows, .c = c, .op = op, .pitch = {.x = pitch.y, .y = pitch.x, .dx = pitch.dx}};
  }
  bool operator==(const PairLossSpec&) const = default;
};

template <class Op>
struct PairLoss {
  static constexpr const char* kName = Op::kName;
  using Spec = PairLossSpec<Op>;
  template <class T>
  struct Forward {
    static constexpr double kOperations = 3;
    const T *x, *t;
    T* loss;
    void arrays(const Spec& g, auto&& f) { f("x", x, g.values()), f("t", t, g.targets()), f("loss", loss, {}); }
  };
  template <class T>
  struct Backward {
    static constexpr double kOperations = 2;
    const T *dy, *x, *t;
    T* dx;
    void arrays(const Spec& g, auto&& f) {
      f("dy", dy, {}), f("x", x, g.values()), f("t", t, g.targets()), f("dx", dx, {g.rows, g.c, g.dx_pitch()});
    }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    T sum = 0;
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c) sum += g.op.value(a.x[i * g.x_pitch() + c] - a.t[i * g.t_pitch() + c]);
    *a.loss = sum / T(double(g.size()));
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.rows; ++i)
      for (int64_t c = 0; c < g.c; ++c)
        a.dx[i * g.dx_pitch() + c] =
            *a.dy / T(double(g.size())) * g.op.derivative(a.x[i * g.x_pitch() + c] - a.t[i * g.t_pitch() + c]);
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.c); }

  template <Isa isa>
  static constexpr Implementation<PairLoss> simd() {
    return {.name = isa_name(isa),
            .device = Device::cpu,
            .supports = supports_on<isa>,
            .workspace = [](const Spec& g) { return sum_rows_workspace(g.rows, g.c); },
            .forward = forward_on<isa>,
            .backward = backward_on<isa>};
  }
  static Implementation<PairLoss> cuda();  // pair_loss.cuh; the op's .cu makes it
  static const Registry<Implementation<PairLoss>>& registry() {
    static const Implementation<PairLoss> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                     reference_implementation<PairLoss>()};
    static const Registry<Implementation<PairLoss>> registry{kName, impls};
    return registry;
  }

 private:
  template <Isa isa>
  static void forward_on(const Exec& exec, const Spec& g, const Forward<float>& a) {
    const Chunks chunks(g.rows, g.c);
    const bool dense = g.x_pitch() == g.c && g.t_pitch() == g.c;
    double* part = static_cast<double*>(exec.scratch);
    parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
      on_isa<isa>([&] {
        const Op op = g.op;
        const int64_t count = dense ? (end - begin) * g.c : g.c;
        double sum = 0;
        for (int64_t i = begin; i < end; i += dense ? end - begin : 1) {
          const float *p = a.x + i * g.x_pitch(), *q = a.t + i * g.t_pitch();
          sum += lane_sum(count, [=](int64_t c) { return op.value(double(p[c]) - double(q[c])); });
        }
        part[begin / chunks.grain] = sum;
      });
    });
    double sum = 0;
    for (int64_t k = 0; k < chunks.count(); ++k) sum += part[k];
    *a.loss = float(sum / double(g.size()));
  }
  template <Isa isa>
  static void backward_on(const Exec&, const Spec& g, const Backward<float>& a) {
    const float scale = float(double(*a.dy) / double(g.size()));
    const bool dense = g.x_pitch() == g.c && g.t_pitch() == g.c && g.dx_pitch() == g.c;
    parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
      on_isa<isa>([&] {
        const Op op = g.op;
        const float f = scale;
        const int64_t count = dense ? (end - begin) * g.c : g.c;
        for (int64_t i = begin; i < end; i += dense ? end - begin : 1) {
          const float *p = a.x + i * g.x_pitch(), *q = a.t + i * g.t_pitch();
          float* to = a.dx + i * g.dx_pitch();
          for (int64_t c = 0; c < count; ++c) to[c] = f * op.derivative(p[c] - q[c]);
        }
      });
    });
  }
};

}  // namespace kern::kernels
