// Element-wise ops of one input. An op is a struct of two formulas, templated on the scalar:
//
//   struct Relu {
//     static constexpr const char* kName = "relu";
//     static constexpr Saves kSaves = Saves::output;                      // what backward looks at
//     template <Scalar T> constexpr T forward(T x) const;                 // y = f(x)
//     template <Scalar T> constexpr T derivative(T saved) const;          // dy/dx from the saved x or y
//   };
//
// Its parameters (a slope) are members; an op of positive numbers alone says `static constexpr bool kPositive = true`.
// The reference is here, the rows (one of the CPU per instruction set) are in unary_ops.cpp and .cu. Formulas are plain
// arithmetic without branches on what may differ from value to value (kernels/common/elementary.h has exp, log, tanh,
// erf), so that loops vectorise.
#pragma once
#include "kernels/common/bf16.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

enum class Saves { input, output };
template <class Op>
concept OfPositive = requires {
  requires Op::kPositive;
};

// x, y [rows, C]; dx, dy alike. The saved argument of backward is x (pitch.x) or y (pitch.y) as the op's kSaves says.
template <class Op>
struct UnarySpec {
  int64_t rows = 0, c = 1;
  Op op{};
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  constexpr int64_t saved_pitch() const { return Op::kSaves == Saves::input ? x_pitch() : y_pitch(); }
  bool operator==(const UnarySpec&) const = default;
};

template <class Op, Scalar T>
void unary_forward_reference(const UnarySpec<Op>& g, const T* x, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) y[i * g.y_pitch() + c] = g.op.forward(x[i * g.x_pitch() + c]);
}
template <class Op, Scalar T>
void unary_backward_reference(const UnarySpec<Op>& g, const T* dy, const T* saved, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c)
      dx[i * g.dx_pitch() + c] = dy[i * g.dy_pitch() + c] * g.op.derivative(saved[i * g.saved_pitch() + c]);
}

// T: what values are in memory, float or Bf16.
template <class Op, class T = float>
struct UnaryImpl {
  const char* name;
  Device device;
  bool (*supports)(const UnarySpec<Op>&);
  void (*forward)(const Exec&, const UnarySpec<Op>&, const T* x, T* y);
  void (*backward)(const Exec&, const UnarySpec<Op>&, const T* dy, const T* saved, T* dx);
};

// In order of preference. For the ops of unary_ops.h.
template <class Op, class T = float>
const Registry<UnaryImpl<Op, T>>& unary_registry();
template <class Op, class T>
UnaryImpl<Op, T> unary_cuda_impl();  // unary_ops.cu

}  // namespace kern::kernels
