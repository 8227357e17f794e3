// Every element-wise op of two inputs with broadcasting, as formulas (kernels/elementwise/broadcast.h says how they are
// written). A new one is a struct here and its name in the list at the end.
// add and mul of one shape, or of rows with a vector, have faster rows of their own (add.h, mul.h).
#pragma once
#include "kernels/elementwise/broadcast.h"

namespace kern::kernels {

// y = a + b.
struct AddBroadcast {
  static constexpr const char* kName = "add_broadcast";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return a + b;
  }
  template <Scalar T>
  static constexpr T derivative_a(T, T) {
    return T(1);
  }
  template <Scalar T>
  static constexpr T derivative_b(T, T) {
    return T(1);
  }
};

// y = a - b.
struct Sub {
  static constexpr const char* kName = "sub";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return a - b;
  }
  template <Scalar T>
  static constexpr T derivative_a(T, T) {
    return T(1);
  }
  template <Scalar T>
  static constexpr T derivative_b(T, T) {
    return T(-1);
  }
};

// y = a b.
struct MulBroadcast {
  static constexpr const char* kName = "mul_broadcast";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return a * b;
  }
  template <Scalar T>
  static constexpr T derivative_a(T, T b) {
    return b;
  }
  template <Scalar T>
  static constexpr T derivative_b(T a, T) {
    return a;
  }
};

// y = a / b.
struct Div {
  static constexpr const char* kName = "div";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return a / b;
  }
  template <Scalar T>
  static constexpr T derivative_a(T, T b) {
    return T(1) / b;
  }
  template <Scalar T>
  static constexpr T derivative_b(T a, T b) {
    return -a / (b * b);
  }
};

// y = max(a, b), a NaN if either is. Its gradient goes to the larger one, half to each where they are equal.
struct Maximum {
  static constexpr const char* kName = "maximum";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return real_part(a) > real_part(b) ? a : real_part(a) <= real_part(b) ? b : a + b;
  }
  template <Scalar T>
  static constexpr T derivative_a(T a, T b) {
    return real_part(a) > real_part(b) ? T(1) : real_part(a) < real_part(b) ? T(0) : T(0.5);
  }
  template <Scalar T>
  static constexpr T derivative_b(T a, T b) {
    return derivative_a(b, a);
  }
};

// y = min(a, b), a NaN if either is. Its gradient goes to the smaller one, half to each where they are equal.
struct Minimum {
  static constexpr const char* kName = "minimum";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return real_part(a) < real_part(b) ? a : real_part(a) >= real_part(b) ? b : a + b;
  }
  template <Scalar T>
  static constexpr T derivative_a(T a, T b) {
    return Maximum::derivative_a(b, a);
  }
  template <Scalar T>
  static constexpr T derivative_b(T a, T b) {
    return Maximum::derivative_a(a, b);
  }
};

// What is 1 where a comparison holds and 0 elsewhere, and has no gradient.
struct Comparison {
  template <Scalar T>
  static constexpr T derivative_a(T, T) {
    return T(0);
  }
  template <Scalar T>
  static constexpr T derivative_b(T, T) {
    return T(0);
  }
};
struct Less : Comparison {
  static constexpr const char* kName = "less";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return real_part(a) < real_part(b) ? T(1) : T(0);
  }
};
struct LessEqual : Comparison {
  static constexpr const char* kName = "less_equal";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return real_part(a) <= real_part(b) ? T(1) : T(0);
  }
};
struct Equal : Comparison {
  static constexpr const char* kName = "equal";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return real_part(a) == real_part(b) ? T(1) : T(0);
  }
};

// y = b where a is not 0, else 0, whatever b is there. No gradient to a.
struct Keep {
  static constexpr const char* kName = "keep";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return real_part(a) != 0 ? b : T(0);
  }
  template <Scalar T>
  static constexpr T derivative_a(T, T) {
    return T(0);
  }
  template <Scalar T>
  static constexpr T derivative_b(T a, T) {
    return real_part(a) != 0 ? T(1) : T(0);
  }
};
// y = b where a is 0, else 0: the other half of where(a, c, b) = keep(a, c) + drop(a, b).
struct Drop {
  static constexpr const char* kName = "drop";
  template <Scalar T>
  static constexpr T forward(T a, T b) {
    return real_part(a) != 0 ? T(0) : b;
  }
  template <Scalar T>
  static constexpr T derivative_a(T, T) {
    return T(0);
  }
  template <Scalar T>
  static constexpr T derivative_b(T a, T) {
    return real_part(a) != 0 ? T(0) : T(1);
  }
};

// Calls F(op) for each.
#define KERN_BROADCAST_OPS(F) \
  F(AddBroadcast) F(Sub) F(MulBroadcast) F(Div) F(Maximum) F(Minimum) F(Less) F(LessEqual) F(Equal) F(Keep) F(Drop)

// Calls f<Op>() for each: for_each_broadcast_op([]<class Op>() { ... }).
template <class F>
void for_each_broadcast_op(F&& f) {
#define KERN_CALL(Op) f.template operator()<Op>();
  KERN_BROADCAST_OPS(KERN_CALL)
#undef KERN_CALL
}

}  // namespace kern::kernels
