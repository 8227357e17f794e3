// Every element-wise op of one input, as two formulas each (kernels/elementwise/unary.h says how they are written). A new
// one is a struct here and its name in the list at the end: its implementations, timers, bf16 twin and the tests that
// all ops must pass derive from that. engine/ops/unary.h has the differentiable functions.
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/elementwise/unary.h"

namespace kern::kernels {

// affine: y = a x + b with constants a, b.  dx = a dy.
struct Affine {
  static constexpr const char* kName = "affine";
  static constexpr Saves kSaves = Saves::input;
  float a = 1, b = 0;
  template <Scalar T>
  constexpr T forward(T x) const {
    return T(a) * x + T(b);
  }
  template <Scalar T>
  constexpr T derivative(T) const {
    return T(a);
  }
  bool operator==(const Affine&) const = default;
};

// square: y = x^2.  dx = 2 dy x.
struct Square {
  static constexpr const char* kName = "square";
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return x * x;
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return T(2) * x;
  }
  bool operator==(const Square&) const = default;
};

// sqrt: y = sqrt(x), NaN below 0.  dx = dy / (2 y), infinite at 0.
struct Sqrt {
  static constexpr const char* kName = "sqrt";
  static constexpr bool kPositive = true;
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return square_root(x);
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return T(0.5) / y;
  }
  bool operator==(const Sqrt&) const = default;
};

// reciprocal: y = 1 / x.  dx = -dy y^2.
struct Reciprocal {
  static constexpr const char* kName = "reciprocal";
  static constexpr bool kPositive = true;  // where its rows agree to the last bits: far from the pole
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return T(1) / x;
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return -(y * y);
  }
  bool operator==(const Reciprocal&) const = default;
};

// pow: y = x^p with a constant p; for p that is no whole number x must not be negative.  dx = dy p x^(p - 1).
struct Pow {
  static constexpr const char* kName = "pow";
  static constexpr bool kPositive = true;
  static constexpr Saves kSaves = Saves::input;
  float p = 1.5f;
  template <Scalar T>
  constexpr T forward(T x) const {
    return power(x, p);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return p == 0 ? T(0) : T(p) * power(x, p - 1);
  }
  bool operator==(const Pow&) const = default;
};

// abs: y = |x|.  dx = dy where x > 0, -dy where x < 0, else 0.
struct Abs {
  static constexpr const char* kName = "abs";
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) < 0 ? -x : x;
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return real_part(x) > 0 ? T(1) : real_part(x) < 0 ? T(-1) : x * T(0);  // a NaN stays one
  }
  bool operator==(const Abs&) const = default;
};

// clamp: y = min(max(x, low), high).  dx = dy where low <= x <= high, else 0.
struct Clamp {
  static constexpr const char* kName = "clamp";
  static constexpr Saves kSaves = Saves::input;
  float low = -1, high = 1;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) < low ? T(low) : real_part(x) > high ? T(high) : x;  // a NaN stays one
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return real_part(x) < low || real_part(x) > high ? T(0) : T(1);
  }
  bool operator==(const Clamp&) const = default;
};

// exp: y = e^x, 0 below e^-86.5.  dx = dy y.
struct Exp {
  static constexpr const char* kName = "exp";
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return exponential(x);
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return y;
  }
  bool operator==(const Exp&) const = default;
};

// log: y = log(x), the natural one; minus infinity at 0, NaN below.  dx = dy / x.
struct Log {
  static constexpr const char* kName = "log";
  static constexpr bool kPositive = true;
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return logarithm(x);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return T(1) / x;
  }
  bool operator==(const Log&) const = default;
};

// relu: y = max(x, 0).  dx = dy where y > 0, else 0.
struct Relu {
  static constexpr const char* kName = "relu";
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) <= 0 ? T(0) : x;  // a NaN stays one
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) <= 0 ? T(0) : T(1);
  }
  bool operator==(const Relu&) const = default;
};

// relu6: y = min(max(x, 0), 6).  dx = dy where 0 < y < 6, else 0.
struct Relu6 {
  static constexpr const char* kName = "relu6";
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) <= 0 ? T(0) : real_part(x) >= 6 ? T(6) : x;  // a NaN stays one
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) <= 0 || real_part(y) >= 6 ? T(0) : T(1);
  }
  bool operator==(const Relu6&) const = default;
};

// leaky_relu: y = x where x > 0, else slope x, slope >= 0.  dx = dy where y > 0, else slope dy.
struct LeakyRelu {
  static constexpr const char* kName = "leaky_relu";
  static constexpr Saves kSaves = Saves::output;  // whose sign is x's, since slope >= 0
  float slope = 0.01f;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) > 0 ? x : T(slope) * x;
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) > 0 ? T(1) : T(slope);
  }
  bool operator==(const LeakyRelu&) const = default;
};

// elu (Clevert et al. 2016): y = x where x > 0, else alpha (exp(x) - 1), alpha >= 0.
// dx = dy where y > 0, else dy (y + alpha).
struct Elu {
  static constexpr const char* kName = "elu";
  static constexpr Saves kSaves = Saves::output;
  float alpha = 1;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) > 0 ? x : T(alpha) * exponential_minus_one(x);
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) > 0 ? T(1) : y + T(alpha);
  }
  bool operator==(const Elu&) const = default;
};

// softplus: y = log(1 + exp(beta x)) / beta, and x itself where beta x > threshold; beta > 0.
// dx = dy / (1 + exp(-beta x)), and dy itself where beta x > threshold.
struct Softplus {
  static constexpr const char* kName = "softplus";
  static constexpr Saves kSaves = Saves::input;
  float beta = 1, threshold = 20;
  template <Scalar T>
  constexpr T forward(T x) const {
    const T v = T(beta) * x;
    const bool positive = real_part(v) > 0;
    const T tail = logarithm_of_one_plus_share(exponential(positive ? -v : v));  // nothing overflows
    return real_part(v) > threshold ? x : ((positive ? v : T(0)) + tail) / T(beta);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    const T v = T(beta) * x, sigmoid = T(1) / (T(1) + exponential(-v));
    return real_part(v) > threshold ? T(1) : sigmoid;
  }
  bool operator==(const Softplus&) const = default;
};

// sigmoid: y = 1 / (1 + exp(-x)).  dx = dy y (1 - y).
struct Sigmoid {
  static constexpr const char* kName = "sigmoid";
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return T(1) / (T(1) + exponential(-x));
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return y * (T(1) - y);
  }
  bool operator==(const Sigmoid&) const = default;
};

// tanh: y = tanh(x).  dx = dy (1 - y^2).
struct Tanh {
  static constexpr const char* kName = "tanh";
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return hyperbolic_tangent(x);
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return T(1) - y * y;
  }
  bool operator==(const Tanh&) const = default;
};

// silu, also called swish: y = x s, s = 1 / (1 + exp(-x)).  dx = dy s (1 + x (1 - s)).
struct Silu {
  static constexpr const char* kName = "silu";
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return x / (T(1) + exponential(-x));
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    const T s = T(1) / (T(1) + exponential(-x));
    return s * (T(1) + x * (T(1) - s));
  }
  bool operator==(const Silu&) const = default;
};

// hardswish: y = x min(max(x + 3, 0), 6) / 6.  dx = dy (x/3 + 1/2) where -3 < x < 3, dy where x >= 3, else 0.
// Source: Howard et al. 2019 (MobileNetV3).
struct Hardswish {
  static constexpr const char* kName = "hardswish";
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) <= -3 ? T(0) : real_part(x) >= 3 ? x : x * (x + T(3)) * T(1.0 / 6);  // a NaN stays one
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return real_part(x) <= -3 ? T(0) : real_part(x) >= 3 ? T(1) : x * T(1.0 / 3) + T(0.5);
  }
  bool operator==(const Hardswish&) const = default;
};

// gelu, the exact form (Hendrycks and Gimpel 2016): y = x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2, the normal
// distribution.  dx = dy (Phi(x) + x phi(x)), phi(x) = exp(-x^2 / 2) / sqrt(2 pi).  gelu_tanh is the approximation.
struct Gelu {
  static constexpr const char* kName = "gelu";
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return x * normal_distribution(x);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return normal_distribution(x) + x * T(0.3989422804014327) * exponential(T(-0.5) * x * x);
  }
  bool operator==(const Gelu&) const = default;
};

// gelu_tanh, gelu's approximation by tanh (Hendrycks and Gimpel 2016), torch's gelu(approximate="tanh"):
//   y = x (1 + tanh(u)) / 2 = x s,  s = 1 / (1 + exp(-2u)),  u = sqrt(2 / pi) (x + 0.044715 x^3)
//   dx = dy (s + 2 x s (1 - s) du/dx)
struct GeluTanh {
  static constexpr const char* kName = "gelu_tanh";
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return x * gate(x);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    const T s = gate(x), slope = T(kTwoRootTwoOverPi) * (T(1) + T(3 * kCubic) * x * x);  // 2 du/dx
    return s + x * s * (T(1) - s) * slope;
  }
  static constexpr double kTwoRootTwoOverPi = 1.5957691216057308, kCubic = 0.044715;
  template <Scalar T>
  static constexpr T gate(T x) {
    return T(1) / (T(1) + exponential(T(-kTwoRootTwoOverPi) * x * (T(1) + T(kCubic) * x * x)));
  }
  bool operator==(const GeluTanh&) const = default;
};

// Calls F(op) for each.
#define KERN_UNARY_OPS(F) \
  F(Affine)               \
  F(Square)               \
  F(Sqrt)                 \
  F(Reciprocal)           \
  F(Pow)                  \
  F(Abs)                  \
  F(Clamp)                \
  F(Exp)                  \
  F(Log)                  \
  F(Relu)                 \
  F(Relu6)                \
  F(LeakyRelu)            \
  F(Elu)                  \
  F(Softplus)             \
  F(Sigmoid)              \
  F(Tanh)                 \
  F(Silu)                 \
  F(Hardswish)            \
  F(Gelu)                 \
  F(GeluTanh)

// Calls f<Op>() for each: for_each_unary_op([]<class Op>() { ... }).
template <class F>
void for_each_unary_op(F&& f) {
#define KERN_CALL(Op) f.template operator()<Op>();
  KERN_UNARY_OPS(KERN_CALL)
#undef KERN_CALL
}

}  // namespace kern::kernels
